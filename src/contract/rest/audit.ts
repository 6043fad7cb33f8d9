import { type Static, Type } from 'typebox'
import { Nullable, strict, Time } from './fields.ts'

const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' })

export const AuditEntryDocument = Type.Object(
  {
    seq: Type.Integer({ description: 'From 1, without gaps.' }),
    at: Time,
    request: Type.String({
      description: 'X-Request-Id of the answer; both lines of a request have it. Of a command: its id.',
    }),
    who: Type.String(),
    address: Type.String(),
    action: Type.String({
      description: 'Method and route; "TOLD" and a command that a host refused; "HEARD": what an agent sent.',
    }),
    target: Type.String({ description: 'The path that was asked for, or what was refused.' }),
    plan_hash: Nullable(Hash),
    details: Nullable(
      Type.String({
        description:
          'JSON of what was asked for, of fields that hold no secret; with how it ended also `made`: the id or name of what was made.',
      }),
    ),
    result: Type.Enum(['asked', 'done', 'refused', 'failed'], {
      description: 'asked: before it is done; the others: how it ended.',
    }),
    status: Nullable(Type.Integer({ description: 'Of the answer.' })),
    hash: Type.String({ description: 'Of this line and all before it.' }),
  },
  strict,
)
export type AuditEntryDocument = Static<typeof AuditEntryDocument>
export const AuditPage = Type.Object(
  {
    items: Type.Array(AuditEntryDocument),
    next: Nullable(Type.String({ description: 'Cursor of the page after this one.' })),
  },
  strict,
)
export const AuditQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 50 })),
    cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
    order: Type.Optional(
      Type.Enum(['newest', 'oldest'], { description: 'Default: newest first. oldest: for an export.' }),
    ),
  },
  strict,
)

export const AuditVerification = Type.Object(
  {
    ok: Type.Boolean(),
    entries: Type.Integer(),
    head: Type.String({
      description: 'seq:hash of the last line. Write it down elsewhere and compare it later.',
    }),
    problem: Nullable(Type.String({ description: 'What is wrong with the first line that does not fit.' })),
  },
  strict,
)
export type AuditVerification = Static<typeof AuditVerification>
