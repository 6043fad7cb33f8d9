/** A part of a text file that is ours, between two lines that mark it. The text around it is somebody else's. */
export interface MarkedBlock {
  /** Names it in the file: `fairlead:shop` begins at `<!-- fairlead:shop:begin v=1 -->`. */
  readonly marker: string
  /** Of the form of what is in it. */
  readonly version: number
  /** Lines without the marks. */
  readonly text: string
}

export interface Merged {
  readonly text: string
  readonly warning?: string
}

/** The text with the block in its place, or at its end when it has none. Pure: the same block twice changes nothing. */
export function withBlock(text: string, block: MarkedBlock): Merged {
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const lines = text === '' ? [] : text.split(eol)
  const place = placeOf(lines, block.marker)
  const written = [
    `<!-- ${block.marker}:begin v=${block.version} -->`,
    ...block.text.trimEnd().split('\n'),
    endOf(block.marker),
  ]
  if (place.kind === 'found' && place.version !== block.version) {
    return {
      text,
      warning: `is left alone: its block "${block.marker}" has the version ${place.version}, known is ${block.version}`,
    }
  }
  if (place.kind === 'found') {
    return { text: [...lines.slice(0, place.begin), ...written, ...lines.slice(place.end + 1)].join(eol) }
  }
  const before = trimmedEnd(lines)
  const appended = [...before, ...(before.length > 0 ? [''] : []), ...written, ''].join(eol)
  return place.kind === 'none'
    ? { text: appended }
    : {
        text: appended,
        warning: `had one mark of the block "${block.marker}" without the other: a new block was added`,
      }
}

/** Whether the text has the block with both its marks. */
export function hasBlock(text: string, marker: string): boolean {
  return placeOf(text.split(/\r?\n/), marker).kind === 'found'
}

/** What stands between the marks, without them. */
export function blockIn(text: string, marker: string): string | undefined {
  const lines = text.split(/\r?\n/)
  const place = placeOf(lines, marker)
  return place.kind === 'found' ? lines.slice(place.begin + 1, place.end).join('\n') : undefined
}

type Place =
  | { readonly kind: 'found'; readonly begin: number; readonly end: number; readonly version: number }
  | { readonly kind: 'none' | 'broken' }

/** The last mark that ends it and the nearest before that begins it: what was broken before stays text. */
function placeOf(lines: readonly string[], marker: string): Place {
  const end = lines.findLastIndex(line => line.trim() === endOf(marker))
  const version = (line: string) => /^v=(\d{1,9}) -->$/.exec(afterBegin(line, marker) ?? '')?.[1]
  const begin = lines.slice(0, Math.max(0, end)).findLastIndex(line => version(line) !== undefined)
  if (begin >= 0) {
    return { kind: 'found', begin, end, version: Number(version(lines[begin] ?? '')) }
  }
  const isBroken = end >= 0 || lines.some(line => version(line) !== undefined)
  return { kind: isBroken ? 'broken' : 'none' }
}

function afterBegin(line: string, marker: string): string | undefined {
  const begin = `<!-- ${marker}:begin `
  return line.trim().startsWith(begin) ? line.trim().slice(begin.length) : undefined
}

function endOf(marker: string): string {
  return `<!-- ${marker}:end -->`
}

function trimmedEnd(lines: readonly string[]): readonly string[] {
  return lines.slice(0, lines.findLastIndex(line => line.trim() !== '') + 1)
}
