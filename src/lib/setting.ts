/** A program that reads settings from its environment; `client` is the command line when it talks to a manager. */
export type Reader = 'manager' | 'worker' | 'guardian' | 'client'

export interface Setting {
  readonly name: string
  readonly of: readonly Reader[]
  readonly means: string
  readonly default: string
  /** `path`: a relative one counts from the folder in which the command is given. */
  readonly value?: 'path' | 'secret'
  /** Set and empty is a mistake, which no part takes for not set. */
  readonly empty?: 'refused'
}
