import { Type } from 'typebox'

/** What the data of several repository commands are made of. */

export const strict = { additionalProperties: false } as const
export const MINUTE = 60_000

/** Names the folders of a repository in a worker's workspace. */
export const Key = Type.String({ pattern: '^[a-z0-9-]{1,64}$' })
export const Commit = Type.String({ pattern: '^([0-9a-f]{40}|[0-9a-f]{64})$' })
export const Branch = Type.String({ minLength: 1, maxLength: 200 })
export const Path = Type.String({ minLength: 1, maxLength: 1024 })

/** Commands that change a repository's mirror or checkouts run one after another. */
export function lockOf(repository: string): string {
  return `repository:${repository}`
}
