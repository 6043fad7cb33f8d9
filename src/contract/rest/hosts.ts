import { type Static, Type } from 'typebox'
import { SeenEngine } from '#contract/engine.ts'
import { HostName, Nullable, strict, Time } from './fields.ts'
import { AgentAddress } from './join.ts'

export const HostDocument = Type.Object(
  {
    name: HostName,
    role: Type.Union([Type.Literal('worker'), Type.Literal('guardian')]),
    address: Type.String(),
    key_id: Type.String({ description: 'sha256 of its public key: compare it with what the host prints.' }),
    online: Type.Boolean(),
    facts: Type.Unknown({
      description: 'What the host said of itself when it connected; null while it is offline.',
    }),
    problem: Nullable(Type.String({ description: 'Why it is not connected.' })),
    engines: Type.Array(SeenEngine, {
      description: 'Its Docker engines as its worker saw them last; empty when it has only its own.',
    }),
    certificate_ends_at: Type.String({
      format: 'date-time',
      description: 'Of its newest certificate; a connected host renews it in time.',
    }),
    warning: Nullable(Type.String({ description: 'What will stop it from connecting, if nobody acts.' })),
    guardian: Nullable(
      Type.String({ description: 'Of a worker: who keeps its firewall; null: nobody does.' }),
    ),
    advice: Nullable(
      Type.String({ description: 'What it goes on without, and should have: a worker without a guardian.' }),
    ),
    created_at: Time,
  },
  strict,
)
export type HostDocument = Static<typeof HostDocument>
export const HostList = Type.Object({ items: Type.Array(HostDocument) }, strict)

export const NewHost = Type.Object(
  {
    /** host:port that the manager dials. */
    address: AgentAddress,
    /** The public identity that the host printed, as it is. */
    identity: Type.Record(Type.String(), Type.Unknown(), { maxProperties: 20 }),
  },
  strict,
)
export type NewHost = Static<typeof NewHost>

/** What the host has to pin: put it on the host before it is added here. */
export const ManagerIdentityDocument = Type.Object({ identity: Type.Unknown() }, strict)
