/** One instruction of a Dockerfile, its continued lines joined. */
export interface Instruction {
  /** Where it begins, from 1. */
  readonly line: number
  /** In capitals. */
  readonly word: string
  readonly rest: string
}

/**
 * The instructions of a Dockerfile in order, without comments. The lines of a here-document count as instructions:
 * a rule may then refuse more than it must, never less.
 */
export function instructionsOf(text: string, continues = escapeOf(text)): Instruction[] {
  const found: Instruction[] = []
  let open: { line: number; text: string } | undefined
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd()
    if (/^\s*#/.test(line) || (line.trim() === '' && !open)) {
      continue
    }
    const joined: { line: number; text: string } = {
      line: open?.line ?? index + 1,
      text: `${open?.text ?? ''}${line}`,
    }
    // Nothing is put between: `AD\` and `D x` are ADD. Twice, it escapes itself.
    if (line.endsWith(continues) && !line.endsWith(continues.repeat(2))) {
      open = { ...joined, text: joined.text.slice(0, -1) }
      continue
    }
    open = undefined
    const [, word = '', rest = ''] = /^\s*([A-Za-z]+)\s*([\s\S]*)$/.exec(joined.text) ?? []
    found.push({ line: joined.line, word: word.toUpperCase(), rest })
  }
  return found
}

/** Directives are the first lines, up to the first that is none. */
function escapeOf(text: string): string {
  const directives = /^(?:\uFEFF?[ \t]*#[ \t]*\w+[ \t]*=.*(?:\n|$))*/.exec(text)?.[0] ?? ''
  return /^\s*#\s*escape\s*=\s*`/im.test(directives) ? '`' : '\\'
}
