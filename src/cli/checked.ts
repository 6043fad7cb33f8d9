export interface Checked {
  /** A host, an app, a repository, or the manager. */
  readonly where: string
  readonly name: string
  readonly detail: string
  /** What to do; null: it is well. */
  readonly mend: string | null
  /** What would be better, though nothing is wrong. */
  readonly advice?: string
}
