import { type Static, Type } from 'typebox'
import { strict } from './fields.ts'

/**
 * The console of a system: `GET /api/v1/systems/<system>/console?columns=80&rows=24` as a WebSocket with this
 * subprotocol. Who opens it shows the cookie of a session (a browser, from a page of this manager) or a bearer token.
 *
 * Binary messages, both ways: what is typed, and what the terminal shows. At most 65,536 bytes each.
 * Text messages: from the client a ConsoleSize whenever its window has changed, from the manager one ConsoleEnd, right
 * before it closes. Close codes: 1000 the shell has ended (or the client said so), 4401 the session, token or right
 * has ended, 4502 it could not be begun or broke off (ConsoleEnd says why), 1001 the manager stops.
 * Before the upgrade a refusal is an ordinary problem document: 401, 403, 404, 409, 429.
 */
export const CONSOLE_PROTOCOL = 'fairlead.console.v1'
export const MAX_CONSOLE_MESSAGE_BYTES = 65_536
export const CONSOLE_CLOSE = {
  ended: 1000,
  stopping: 1001,
  refused: 4400,
  rights: 4401,
  broken: 4502,
} as const

const size = {
  columns: Type.Integer({ minimum: 1, maximum: 1_000 }),
  rows: Type.Integer({ minimum: 1, maximum: 1_000 }),
}

export const ConsoleQuery = Type.Object(
  { columns: Type.Optional(size.columns), rows: Type.Optional(size.rows) },
  strict,
)

/** From the client: its window has another size now. */
export const ConsoleSize = Type.Object(size, strict)
export type ConsoleSize = Static<typeof ConsoleSize>

/** From the manager: the last message. */
export const ConsoleEnd = Type.Object(
  {
    exit_code: Type.Union([Type.Integer(), Type.Null()], { description: 'Of the shell; null: not known.' }),
    error: Type.Union([
      Type.Object({ code: Type.String(), message: Type.String(), hint: Type.String() }, strict),
      Type.Null(),
    ]),
  },
  strict,
)
export type ConsoleEnd = Static<typeof ConsoleEnd>
