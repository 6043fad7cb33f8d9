/** One variable of a Compose file, as its places together want it. */
export interface ComposeVariable {
  /** What stands for it when nothing is given; undefined: nothing does. */
  readonly fallback: string | undefined
  /** Whether it has to be given. */
  readonly isRequired: boolean
  /** What the file says when it is not given: `${NAME:?words}`. */
  readonly words: string | undefined
}

/** Two dollar signs, which stand for one; a plain name; what opens a braced one, with its operator; what closes one; a new line. */
const TOKEN = /\$\$|\$([A-Za-z_][A-Za-z0-9_]{0,127})|\$\{([A-Za-z_][A-Za-z0-9_]{0,127})(:?[-?+])?|\}|\n/g

interface Open {
  readonly name: string
  readonly operator: string | undefined
  /** Where what stands behind the operator begins. */
  readonly start: number
}

/**
 * The variables of a Compose file, by name, with the defaults that it gives them. Works on the text: a file that is not
 * valid has variables too, and a person may be choosing them.
 */
export function composeVariables(text: string): ReadonlyMap<string, ComposeVariable> {
  const found = new Map<string, ComposeVariable>()
  const written = text.replace(/^[ \t]*#.*$/gm, '')
  let open: Open[] = []
  for (const { 0: token, 1: plain, 2: braced, 3: operator, index } of `${written}\n`.matchAll(TOKEN)) {
    if (plain !== undefined) {
      note(found, plain, wantOf(undefined, ''))
    } else if (braced !== undefined) {
      open.push({ name: braced, operator, start: index + token.length })
    } else if (token === '}') {
      const closed = open.pop()
      if (closed) {
        note(found, closed.name, wantOf(closed.operator, written.slice(closed.start, index)))
      }
    } else if (token === '\n') {
      // Compose will not take what is never closed; its name is one all the same.
      for (const { name, operator: of } of open) {
        note(found, name, wantOf(of, ''))
      }
      open = []
    }
  }
  return found
}

function wantOf(operator: string | undefined, rest: string): ComposeVariable {
  switch (operator?.at(-1)) {
    case '-':
      return { fallback: rest, isRequired: false, words: undefined }
    case '+':
      return { fallback: undefined, isRequired: false, words: undefined }
    case '?':
      return { fallback: undefined, isRequired: true, words: rest || undefined }
    default:
      return { fallback: undefined, isRequired: true, words: undefined }
  }
}

/** One place without a default is enough to have to give it. */
function note(found: Map<string, ComposeVariable>, name: string, want: ComposeVariable): void {
  const before = found.get(name)
  found.set(name, {
    fallback: before?.fallback ?? want.fallback,
    isRequired: (before?.isRequired ?? false) || want.isRequired,
    words: before?.words ?? want.words,
  })
}
