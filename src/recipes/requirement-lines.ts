/** One requirement of a file: its lines joined, without comments. */
export interface RequirementLine {
  readonly text: string
  /** Where it begins, from 1. */
  readonly line: number
}

/** The lines of a requirements file as pip reads them: continued lines joined, comments and empty lines left out. */
export function requirementLines(text: string): RequirementLine[] {
  const found: RequirementLine[] = []
  let parts: string[] = []
  let begun = 0
  const end = () => {
    // One space is enough of a sign: trying all lengths of a long gap takes the square of it.
    const bare = parts
      .join('')
      .replace(/(?:^|\s)#.*$/, '')
      .trim()
    if (bare !== '') {
      found.push({ text: bare, line: begun })
    }
    parts = []
  }
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    const isComment = raw.trimStart().startsWith('#')
    begun = parts.length === 0 ? index + 1 : begun
    if (raw.endsWith('\\') && !isComment) {
      parts.push(raw.slice(0, -1))
    } else {
      parts.push(isComment ? '' : raw)
      end()
    }
  }
  end()
  return found
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
