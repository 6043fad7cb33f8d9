import { type TObject, Type } from 'typebox'
import { DURATION_PATTERN } from '#lib/duration.ts'
import type { Target } from '#targets/target.ts'

const strict = { additionalProperties: false } as const

const BoatSettings = Type.Object(
  {
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
    sails: Type.Optional(
      Type.Array(
        Type.Object(
          { name: Type.String({ maxLength: 20 }), area: Type.Optional(Type.Number({ minimum: 0 })) },
          strict,
        ),
        { maxItems: 3 },
      ),
    ),
    rig: Type.Optional(Type.Union([Type.Literal('sloop'), Type.Literal('ketch')])),
    flags: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Z]+$' }), Type.Union([Type.String(), Type.Boolean()])),
    ),
    berth: Type.Optional(
      Type.Union([Type.String({ pattern: '^[a-z]+$' }), Type.Array(Type.String(), { minItems: 1 })]),
    ),
    address: Type.Optional(Type.String({ format: 'ipv4' })),
    tide: Type.Optional(Type.String({ pattern: DURATION_PATTERN, description: 'For example 30s or 5m.' })),
    anchored: Type.Optional(Type.Boolean({ description: 'It stays where it is.' })),
  },
  strict,
)

const RaftSettings = Type.Object({ logs: Type.Optional(Type.Integer({ minimum: 1 })) }, strict)

/** Two targets that do nothing: a boat wants a port, a raft wants nothing. */
export const TEST_TARGETS: readonly Target[] = [
  targetOf('boat', BoatSettings, 'boat.yaml'),
  targetOf('raft', RaftSettings, 'raft.txt'),
]

/** Two that take whatever the conventions give them. */
export function conventionTargets(): readonly Target[] {
  return ['stack', 'image'].map(name => targetOf(name, Type.Object({}), 'none'))
}

function targetOf(name: string, settings: TObject, sign: string): Target {
  return {
    name,
    summary: `Floats as a ${name}.`,
    settings,
    detect: ({ paths, texts }) => (paths.includes(sign) ? { sign: texts[sign] ?? 'unread' } : undefined),
    reads: () => [],
    domains: () => [],
    settle: settings => settings,
    images: () => [],
    look: () => [],
    plan: () => {
      throw new Error('a test target plans nothing')
    },
    remove: () => [],
  }
}
