import { type Static, Type } from 'typebox'
import type { Probe } from '#commands/route-data.ts'
import { DURATION_PATTERN } from '#lib/duration.ts'

const strict = { additionalProperties: false } as const

const Status = Type.Integer({ minimum: 100, maximum: 599 })

/** What is asked of a new release before it counts; the same words for every target. */
export const VerifySettings = Type.Object(
  {
    http: Type.Optional(
      Type.String({
        pattern: '^/[!-~]{0,1023}$',
        description: 'Path that every routed address answers with 2xx or 3xx.',
      }),
    ),
    status: Type.Optional(
      Type.Union([Status, Type.Array(Status, { minItems: 1, maxItems: 50 })], {
        description: 'The status, or the statuses, that it answers with instead.',
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

/** How a release is asked through the proxy; undefined for any status below 500 at "/". `path`: when no other is named. */
export function probeOf({ http, status }: VerifySettings = {}, path = http): Probe | undefined {
  const asked = http ?? path
  const statuses = typeof status === 'number' ? [status] : status
  if (asked === undefined && statuses === undefined) {
    return undefined
  }
  return {
    ...(asked === undefined ? {} : { path: asked }),
    expect: statuses ?? { from: 200, to: 399 },
  }
}

/** The path that says when the release is ready. What is answered instead of a success is no sign of that. */
export function readyPathOf({ http, status }: VerifySettings = {}): string | undefined {
  return status === undefined ? http : undefined
}
