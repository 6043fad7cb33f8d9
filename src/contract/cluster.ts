import { type Static, Type } from 'typebox'

const strict = { additionalProperties: false } as const

export const MemberName = Type.String({ pattern: '^[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?$' })

/** What a worker tells of one machine of the Incus cluster that it talks to. */
export const SeenMember = Type.Object(
  {
    name: Type.String(),
    /** online, offline, evacuated … */
    status: Type.String(),
    message: Type.String(),
    /** Where people reach the ports of what runs there. */
    address: Type.String(),
  },
  strict,
)
export type SeenMember = Static<typeof SeenMember>

export const SeenCluster = Type.Object(
  {
    /** The member that the worker talks to. */
    own: Type.String(),
    members: Type.Array(SeenMember, { maxItems: 100 }),
    /** Containers of members that do not answer: nothing is known of them but the name. */
    outOfReach: Type.Array(Type.Object({ name: Type.String(), member: Type.String() }, strict), {
      maxItems: 1_000,
    }),
  },
  strict,
)
export type SeenCluster = Static<typeof SeenCluster>
