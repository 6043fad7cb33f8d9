import { type Static, Type } from 'typebox'
import { HostName, Name, Nullable, strict, Time } from './fields.ts'

const opening = {
  protocol: Type.Enum(['tcp', 'udp']),
  first: Type.Integer(),
  last: Type.Integer(),
  sources: Type.Array(Type.String(), { description: 'Addresses and networks; empty: everybody.' }),
}
export const OpeningDocument = Type.Object(opening, strict)
export type OpeningDocument = Static<typeof OpeningDocument>

export const FirewallDocument = Type.Object(
  {
    guardian: HostName,
    workers: Type.Array(HostName, { description: 'Hosts whose firewall it keeps.' }),
    wanted: Type.Array(Type.Object({ app: Name, ...opening }, strict)),
    open: Nullable(
      Type.Array(OpeningDocument, {
        description:
          'What its rules let in now, with what the owner of the host keeps open; null: there are none, or it was not reached.',
      }),
    ),
    kept: Type.Array(OpeningDocument, {
      description: 'Open whatever anybody wants: the owner of the host says so.',
    }),
    in_sync: Type.Boolean(),
    drift: Type.Array(Type.String({ description: 'How the rules differ from those that were put there.' })),
    repairs: Type.Integer({ description: 'How often it put rules right since it was started.' }),
    repaired_at: Nullable(Time),
    problem: Nullable(Type.String({ description: 'Why it could not be asked.' })),
  },
  strict,
)
export type FirewallDocument = Static<typeof FirewallDocument>
export const FirewallList = Type.Object({ items: Type.Array(FirewallDocument) }, strict)
export type FirewallList = Static<typeof FirewallList>

export const GuardianBody = Type.Object({ guardian: Nullable(HostName) }, strict)
