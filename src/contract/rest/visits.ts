import { type Static, Type } from 'typebox'
import { strict, Time } from './fields.ts'

/** A path on the same host, with its query. */
export const PLACE_PATTERN = '^/(?![/\\\\])[!-~]{0,1000}$'

export const VisitBody = Type.Object(
  {
    to: Type.Optional(
      Type.String({
        pattern: PLACE_PATTERN,
        description: 'Path that is opened, with its query. Default: /',
      }),
    ),
  },
  strict,
)

export const VisitDocument = Type.Object(
  {
    url: Type.String({ description: 'Opens the app once, for whoever has it: it is for one person.' }),
    expires_at: Time,
  },
  strict,
)
export type VisitDocument = Static<typeof VisitDocument>
