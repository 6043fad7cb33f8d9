import { type Static, Type } from 'typebox'
import { PREFIX_PATTERN } from '#lib/place.ts'
import { RouteName } from './route-name.ts'
import { IPV4_PATTERN } from './subnet.ts'

const strict = { additionalProperties: false } as const

export const Host = Type.String({
  maxLength: 253,
  pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$',
})
const Ip = Type.String({ pattern: IPV4_PATTERN })
const Port = Type.Integer({ minimum: 1, maximum: 65_535 })
const Status = Type.Integer({ minimum: 100, maximum: 599 })

/** The part of its hosts that a name has. */
export const Prefix = Type.String({ pattern: PREFIX_PATTERN, maxLength: 200 })

export const Probe = Type.Object(
  {
    path: Type.Optional(Type.String({ pattern: '^/[!-~]*$', maxLength: 1_024 })),
    /** Which statuses are good; any below 500 when it is not said. */
    expect: Type.Optional(
      Type.Union([
        Type.Array(Status, { minItems: 1, maxItems: 50 }),
        Type.Object({ from: Status, to: Status }, strict),
      ]),
    ),
    withinMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 600_000 })),
  },
  strict,
)
export type Probe = Static<typeof Probe>

/** Who may visit a name: those whom the gate of the host lets through. */
export const Guarded = Type.Object(
  {
    /** Where a person gets in who has no link. */
    login: Type.Optional(Type.String({ maxLength: 1_024, pattern: '^https?://[!-z|~]+$' })),
  },
  strict,
)

export type Guarded = Static<typeof Guarded>

/** What is asked of a name through the proxy, and who must answer. */
export const Asked = {
  name: RouteName,
  hosts: Type.Array(Host, { minItems: 1, maxItems: 50 }),
  /** Absent: it has its hosts for itself. */
  prefix: Type.Optional(Prefix),
  /** Port of the container. */
  port: Port,
  ip: Ip,
  probe: Type.Optional(Probe),
}

/** What came back. */
export const Proof = {
  answers: Type.Array(
    Type.Object(
      {
        host: Type.String(),
        scheme: Type.Union([Type.Literal('http'), Type.Literal('https')]),
        status: Type.Integer(),
        ms: Type.Number(),
      },
      strict,
    ),
  ),
  tls: Type.Array(
    Type.Object(
      {
        host: Type.String(),
        issuer: Type.Union([Type.Literal('internal'), Type.Literal('public')]),
        /** false: a public certificate that was not there yet. */
        ready: Type.Boolean(),
        problem: Type.Optional(Type.String()),
      },
      strict,
    ),
  ),
}

export function isExpected(expect: Probe['expect'], status: number): boolean {
  if (!expect) {
    return status < 500
  }
  return Array.isArray(expect) ? expect.includes(status) : status >= expect.from && status <= expect.to
}
