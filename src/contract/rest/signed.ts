import { Type } from 'typebox'
import { Id, strict } from './fields.ts'

const Time = Type.String({ description: 'UTC, such as 2024-01-01T12:00:00Z.' })

/** How the deployment of a stack ended. */
export const SignedAnswer = Type.Object(
  {
    ok: Type.Boolean(),
    stack: Type.String(),
    steps: Type.Array(
      Type.Object(
        {
          name: Type.Enum(['status', 'config', 'pull', 'up']),
          ok: Type.Boolean(),
          duration_ms: Type.Integer(),
          tail: Type.String({ description: 'The last lines that it wrote, without values of the stack.' }),
        },
        strict,
      ),
    ),
    started_at: Time,
    finished_at: Time,
    deployment: Id,
    error: Type.Optional(Type.String()),
    message: Type.Optional(Type.String()),
  },
  strict,
)

/** `message` only for those who could sign. */
export const SignedRefusal = Type.Object(
  {
    ok: Type.Literal(false),
    error: Type.String(),
    id: Type.String(),
    message: Type.Optional(Type.String()),
  },
  strict,
)
