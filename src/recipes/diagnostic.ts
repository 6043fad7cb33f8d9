/** Something about a project's files that a person should know; with it, planning either stops or goes on. */
export interface Diagnostic {
  /** For programs: REQ_ESCAPE. */
  readonly code: string
  readonly message: string
  /** What to do about it. */
  readonly hint: string
  /** From the project's folder. */
  readonly file?: string
  /** From 1. */
  readonly line?: number
}

/** Thrown inside this folder only, where a project's files allow no recipe; callers get the diagnostic as data. */
export class Refusal extends Error {
  readonly diagnostic: Diagnostic
  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message)
    this.diagnostic = diagnostic
  }
}

/** The result of reading, or the diagnostic of the refusal that ended it. */
export function refusable<T>(read: () => T): T | { readonly refused: Diagnostic } {
  try {
    return read()
  } catch (error) {
    if (error instanceof Refusal) {
      return { refused: error.diagnostic }
    }
    throw error
  }
}
