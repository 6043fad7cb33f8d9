import { type Static, Type } from 'typebox'
import { MemberName } from '#contract/cluster.ts'
import { HostName, Id, Nullable, strict, Time } from './fields.ts'

export const MemberChangeDocument = Type.Object(
  {
    id: Id,
    action: Type.Enum(['evacuate', 'restore']),
    state: Type.Enum(['under-way', 'done', 'failed', 'cancelled']),
    reason: Nullable(
      Type.String({
        description: 'Why it failed; of one that was cancelled, who did that and what it had done.',
      }),
    ),
    asked_by: Type.String(),
    created_at: Time,
    ended_at: Nullable(Time),
  },
  strict,
)
export type MemberChangeDocument = Static<typeof MemberChangeDocument>

export const MemberPath = Type.Object({ host: HostName, member: MemberName }, strict)

export const MemberDocument = Type.Object(
  {
    host: { ...HostName, description: 'Whose worker talks to the cluster.' },
    name: Type.String(),
    status: Type.String({ description: 'As Incus says it: online, offline, evacuated, blocked.' }),
    message: Type.String(),
    address: Type.String({ description: 'Where people reach the ports of what runs there.' }),
    systems: Type.Array(Type.String(), {
      description: 'Names of those that were last seen there; of whoever is no admin their own.',
    }),
    change: Nullable(MemberChangeDocument),
  },
  strict,
)
export type MemberDocument = Static<typeof MemberDocument>
export const MemberList = Type.Object({ items: Type.Array(MemberDocument) }, strict)
export type MemberList = Static<typeof MemberList>
