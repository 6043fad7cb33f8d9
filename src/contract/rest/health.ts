import { Type } from 'typebox'
import { strict } from './fields.ts'

export const LiveDocument = Type.Object({ ok: Type.Literal(true) }, strict)
/** `ok` is false (status 503) while something the manager needs is missing. */
export const ReadyDocument = Type.Object(
  {
    ok: Type.Boolean(),
    store: Type.Boolean(),
    hosts: Type.Object({ known: Type.Integer(), online: Type.Integer() }, strict),
    webhooks: Type.Object(
      {
        unusable: Type.Integer({
          description:
            'Webhooks with a stored secret that is of no use: a warning, the manager is ready all the same. Counted once a minute.',
        }),
      },
      strict,
    ),
  },
  strict,
)
