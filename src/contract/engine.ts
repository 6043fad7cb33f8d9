import { type Static, Type } from 'typebox'

export const EngineName = Type.String({ pattern: '^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$' })

export const EngineLabels = Type.Record(
  Type.String({ pattern: '^[a-z0-9](?:[a-z0-9_.-]{0,61}[a-z0-9])?$' }),
  Type.String({ maxLength: 253 }),
  { minProperties: 1, maxProperties: 20, additionalProperties: false },
)

/** By name, or by labels that it must all have. */
export const EngineWish = Type.Union([EngineName, EngineLabels], {
  description:
    "Which Docker engine of its host the app runs on: a name, or labels that the engine has. Default: local, the host's own (docs/engines.md).",
})
export type EngineWish = Static<typeof EngineWish>

/** What a worker tells of one of its engines. */
export const SeenEngine = Type.Object(
  {
    name: EngineName,
    labels: Type.Record(Type.String(), Type.String()),
    /** Of Docker; null while it does not answer. */
    version: Type.Union([Type.String(), Type.Null()]),
    /** Why it does not answer. */
    problem: Type.Union([Type.String(), Type.Null()]),
  },
  { additionalProperties: false },
)
export type SeenEngine = Static<typeof SeenEngine>
