import { Type } from 'typebox'

/** Ids above 2^53 would have lost digits in JSON.parse. */
export const RemoteId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
export const RemotePath = Type.String({ minLength: 1, maxLength: 1024 })
export const Ref = Type.String({ maxLength: 1024 })
export const CommitId = Type.String({ pattern: '^[0-9a-f]{40,64}$' })

/** An id in a payload that may have any shape. */
export function idIn(value: unknown): string | undefined {
  return Number.isSafeInteger(value) ? String(value) : undefined
}

/** What GitHub and those that word it the same say; what every account of the server may read is not private. */
export function isPrivateIn(repository: {
  readonly private?: unknown
  readonly visibility?: unknown
}): boolean | undefined {
  const { private: isPrivate, visibility } = repository
  return typeof isPrivate === 'boolean' ? isPrivate && visibility !== 'internal' : undefined
}

/** Nothing that a payload names is longer. */
const MOST_TEXT = 1024

export function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= MOST_TEXT ? value : undefined
}
