import { type Static, Type } from 'typebox'

const strict = { additionalProperties: false } as const

/** What a worker's own policy says of files and of what a plan starts: the manager looks by it first, and the worker decides. */
export const ToldPolicy = Type.Object(
  {
    mode: Type.Enum(['enforce', 'warn', 'trusted']),
    ports: Type.Object(
      { from: Type.Integer(), to: Type.Integer(), never: Type.Array(Type.Integer(), { maxItems: 65_536 }) },
      strict,
    ),
    registries: Type.Array(Type.String({ maxLength: 300 }), { maxItems: 1_000 }),
    /** The most for what people run anything in; absent: no limit, or an older worker. */
    limits: Type.Optional(
      Type.Object(
        {
          memoryBytes: Type.Optional(Type.Number()),
          cpus: Type.Optional(Type.Number()),
          pids: Type.Optional(Type.Number()),
          sharedMemoryBytes: Type.Optional(Type.Number()),
          idle: Type.Optional(Type.Number()),
        },
        strict,
      ),
    ),
  },
  strict,
)
export type ToldPolicy = Static<typeof ToldPolicy>
