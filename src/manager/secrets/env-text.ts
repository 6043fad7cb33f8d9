/** A place that is no `NAME=value`; what stands there is never told. */
export interface EnvProblem {
  readonly line: number
  readonly why: string
}

const NOTHING = /[ \t]*(?:#[^\n]*)?(?:\n|$)/y
const NAME = /[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]{0,127})[ \t]*=[ \t]*/y
const SINGLE = /'([^']*)'[ \t]*(?:#[^\n]*)?(?:\n|$)/y
const DOUBLE = /"((?:[^"\\]|\\[\s\S])*)"[ \t]*(?:#[^\n]*)?(?:\n|$)/y
const BARE = /([^\n'"][^\n]*)?(?:\n|$)/y
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/**
 * Reads what files for the environment hold: `NAME=value`, with or without quotes, with `export` before it, comments
 * and empty lines. Values in quotes may have several lines; in double quotes a backslash escapes. Nothing is filled in
 * for `$NAME`. Strict: a line that would be skipped elsewhere is a problem here.
 */
export function readEnvText(
  text: string,
): { readonly values: ReadonlyMap<string, string> } | { readonly problem: EnvProblem } {
  const source = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n')
  const values = new Map<string, string>()
  let at = 0
  function take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = at
    const match = pattern.exec(source)
    at = match ? pattern.lastIndex : at
    return match ?? undefined
  }
  while (at < source.length) {
    const line = source.slice(0, at).split('\n').length
    if (take(NOTHING)) {
      continue
    }
    const name = take(NAME)?.[1]
    if (name === undefined) {
      return { problem: { line, why: 'is no NAME=value' } }
    }
    if (values.has(name)) {
      return { problem: { line, why: `says ${name} a second time` } }
    }
    const value = take(SINGLE)?.[1] ?? unescaped(take(DOUBLE)?.[1]) ?? bare(take(BARE))
    if (value === undefined) {
      return { problem: { line, why: `has quotes that do not end with the value of ${name}` } }
    }
    values.set(name, value)
  }
  return { values }
}

function unescaped(text: string | undefined): string | undefined {
  return text?.replace(/\\([\s\S])/g, (_, character: string) => ESCAPES[character] ?? character)
}

/** Without the comment behind it. */
function bare(match: RegExpExecArray | undefined): string | undefined {
  return match && (match[1] ?? '').replace(/[ \t]#.*$/, '').trim()
}
