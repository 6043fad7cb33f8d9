/** Part of a line that looks the same. */
export interface Run {
  readonly text: string
  readonly classes: string
}

const ESC = '\u001b'
// Everything that a terminal would obey: CSI (7 and 8 bit), OSC and other strings, single escapes.
const CONTROL =
  /(?:\u001b\[|\u009b)([0-9;:]*)([ -/]*[@-~])|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c|$)|\u001b[ -/]*[0-~]?/g
// What hides or reorders text, and what is left of controls.
const UNSEEN = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g

/**
 * A line of a log as runs of text with classes: colours stay, everything else that a terminal would obey is dropped, and
 * so is what would make a line look like another one.
 */
export function ansiRuns(line: string): Run[] {
  const runs: Run[] = []
  let style = PLAIN
  let from = 0
  const text = afterReturn(line)
  const add = (part: string) => {
    const shown = part.replace(UNSEEN, '').replaceAll('\t', '    ')
    if (shown !== '') {
      runs.push({ text: shown, classes: classesOf(style) })
    }
  }
  if (!text.includes(ESC) && !/[\u0080-\u009f]/.test(text)) {
    add(text)
    return runs
  }
  for (const found of text.matchAll(CONTROL)) {
    add(text.slice(from, found.index))
    from = found.index + found[0].length
    if (found[2] === 'm') {
      style = styleAfter(style, found[1] ?? '')
    }
  }
  add(text.slice(from))
  return runs
}

/** The same without looks: to search in, and to copy. */
export function plainText(line: string): string {
  return ansiRuns(line)
    .map(run => run.text)
    .join('')
}

interface Style {
  readonly bold: boolean
  readonly dim: boolean
  readonly italic: boolean
  readonly underline: boolean
  readonly colour: number | undefined
}

const PLAIN: Style = { bold: false, dim: false, italic: false, underline: false, colour: undefined }

/** A progress bar writes over itself: what stands at the end is what was meant to be seen. */
function afterReturn(line: string): string {
  const parts = line.replace(/\r+$/, '').split('\r')
  return parts.findLast(part => part !== '') ?? ''
}

function styleAfter(style: Style, words: string): Style {
  const codes = words.split(/[;:]/).map(Number)
  let now = style
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0
    if (code === 38 || code === 48) {
      const isIndexed = codes[at + 1] === 5
      const colour = isIndexed ? nearestOf(codes[at + 2] ?? 7) : undefined
      now = code === 38 ? { ...now, colour } : now
      at += isIndexed ? 2 : 4
    } else {
      now = afterCode(now, code)
    }
  }
  return now
}

function afterCode(style: Style, code: number): Style {
  if (code >= 30 && code <= 37) {
    return { ...style, colour: code - 30 }
  }
  if (code >= 90 && code <= 97) {
    return { ...style, colour: code - 90 }
  }
  switch (code) {
    case 0:
      return PLAIN
    case 1:
      return { ...style, bold: true }
    case 2:
      return { ...style, dim: true }
    case 3:
      return { ...style, italic: true }
    case 4:
      return { ...style, underline: true }
    case 22:
      return { ...style, bold: false, dim: false }
    case 23:
      return { ...style, italic: false }
    case 24:
      return { ...style, underline: false }
    case 39:
      return { ...style, colour: undefined }
    default:
      return style
  }
}

/** One of the eight colours for one of 256: by which of red, green and blue are strong in it. */
function nearestOf(index: number): number {
  if (index < 16) {
    return index % 8
  }
  if (index >= 232) {
    return index < 244 ? 0 : 7
  }
  const cube = index - 16
  const [red, green, blue] = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6]
  return (red > 2 ? 1 : 0) + (green > 2 ? 2 : 0) + (blue > 2 ? 4 : 0)
}

function classesOf({ bold, dim, italic, underline, colour }: Style): string {
  return [
    bold ? 'ansi-bold' : '',
    dim ? 'ansi-dim' : '',
    italic ? 'ansi-italic' : '',
    underline ? 'ansi-underline' : '',
    colour === undefined ? '' : `ansi-${colour}`,
  ]
    .filter(Boolean)
    .join(' ')
}
