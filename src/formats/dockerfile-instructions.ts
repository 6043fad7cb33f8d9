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
export function instructionsOf(text: string): Instruction[] {
  const continues = /^\s*#\s*escape\s*=\s*`/im.test(text.split(/^\s*[A-Za-z]/m)[0] ?? '') ? '`' : '\\'
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
    if (joined.text.endsWith(continues)) {
      open = { ...joined, text: `${joined.text.slice(0, -1)} ` }
      continue
    }
    open = undefined
    const [, word = '', rest = ''] = /^\s*([A-Za-z]+)\s*([\s\S]*)$/.exec(joined.text) ?? []
    found.push({ line: joined.line, word: word.toUpperCase(), rest })
  }
  return found
}
