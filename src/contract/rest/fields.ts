import { type TSchema, Type } from 'typebox'

/** Parts that the shapes of several resources are made of. */
export const strict = { additionalProperties: false } as const

/** Names of apps and repositories; names of containers, projects and hosts are made from them. */
export const Name = Type.String({
  pattern: '^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$',
  description: 'Lower case letters, digits and "-" inside, 1 to 40 characters.',
})
/** Name of a host, as the public identity of its worker gives it. */
export const HostName = Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$' })
export const Id = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
})
export const Commit = Type.String({
  pattern: '^(?:[0-9a-f]{40}|[0-9a-f]{64})$',
  description: 'The full id of a commit.',
})
/** RFC 3339, UTC. */
export const Time = Type.String({ format: 'date-time' })
export const Version = Type.Integer({ minimum: 1, description: 'Goes up with each change; also the ETag.' })

export function Nullable<S extends TSchema>(schema: S) {
  return Type.Union([schema, Type.Null()])
}

/** One page of a list, newest first where the list has an order in time. `next` is the cursor of the page after it. */
export function Page<S extends TSchema>(item: S) {
  return Type.Object({ items: Type.Array(item), next: Nullable(Type.String()) }, strict)
}

export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  /** `next` of the page before this one. */
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
}
