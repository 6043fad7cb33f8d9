/** One requirement of a file: its lines joined, without comments. */
export interface RequirementLine {
  readonly text: string
  /** Where it begins, from 1. */
  readonly line: number
}

/** The lines of a requirements file as pip reads them: continued lines joined, comments and empty lines left out. */
export function requirementLines(text: string): RequirementLine[] {
  const found: RequirementLine[] = []
  let open: RequirementLine | undefined
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    const isComment = /^\s*#/.test(raw)
    const joined: RequirementLine = {
      text: `${open?.text ?? ''}${isComment ? '' : raw}`,
      line: open?.line ?? index + 1,
    }
    if (joined.text.endsWith('\\') && !isComment) {
      open = { ...joined, text: joined.text.slice(0, -1) }
      continue
    }
    open = undefined
    const bare = joined.text.replace(/(?:^|\s+)#.*$/, '').trim()
    if (bare !== '') {
      found.push({ ...joined, text: bare })
    }
  }
  return open && open.text.trim() !== '' ? [...found, { ...open, text: open.text.trim() }] : found
}

export interface RequirementOption {
  /** In its long form, without dashes: `requirement`. */
  readonly name: string
  readonly value: string
}

const LONG: Readonly<Record<string, string>> = {
  r: 'requirement',
  c: 'constraint',
  e: 'editable',
  i: 'index-url',
  f: 'find-links',
  'pypi-url': 'index-url',
}

/** `-r base.txt`, `-rbase.txt`, `--requirement=base.txt`; undefined for a line that begins with no option. */
export function optionOf(text: string): RequirementOption | undefined {
  const [, short, shortValue, long, longValue] =
    /^(?:-([a-z])\s*=?\s*(.*)|--([a-z][a-z-]*)(?:\s*=\s*|\s+|$)(.*))$/s.exec(text) ?? []
  const name = short ?? long
  if (name === undefined) {
    return undefined
  }
  const value = (shortValue ?? longValue ?? '').trim().replace(/^(["'])(.*)\1$/s, '$2')
  return { name: LONG[name] ?? name, value }
}
