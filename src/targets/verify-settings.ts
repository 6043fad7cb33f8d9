import { type Static, Type } from 'typebox'
import { DURATION_PATTERN } from '#lib/duration.ts'

const strict = { additionalProperties: false } as const

/** What is asked of a new release before it counts; the same words for every target. */
export const VerifySettings = Type.Object(
  {
    http: Type.Optional(
      Type.String({
        pattern: '^/[!-~]{0,1023}$',
        description: 'Path that every routed address answers with 2xx or 3xx.',
      }),
    ),
    within: Type.Optional(Type.String({ pattern: DURATION_PATTERN })),
    settle: Type.Optional(
      Type.String({
        pattern: DURATION_PATTERN,
        description:
          'How long the release is watched once it serves: when a container ends, restarts or turns unhealthy, the previous one comes back.',
      }),
    ),
  },
  strict,
)
export type VerifySettings = Static<typeof VerifySettings>
