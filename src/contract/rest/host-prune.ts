import { type Static, Type } from 'typebox'
import { Nullable, strict } from './fields.ts'

export const PruneBody = Type.Object(
  {
    dry_run: Type.Optional(Type.Boolean({ default: false, description: 'Only tells what would go.' })),
    all_unused: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Also images that Fairlead did not make. Never what a container or a release needs.',
      }),
    ),
    older_than_seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 31_536_000,
        default: 3_600,
        description: 'Younger images stay, whether somebody needs them or not.',
      }),
    ),
  },
  strict,
)

const Measured = Type.Object({ layer_bytes: Type.Integer(), build_cache_bytes: Type.Integer() }, strict)

const EnginePrune = Type.Object(
  {
    engine: Type.String(),
    images: Type.Array(
      Type.Object(
        {
          names: Type.Array(Type.String()),
          id: Type.String(),
          bytes: Type.Integer(),
          own_bytes: Type.Integer({ description: 'Without the layers that other images have too.' }),
        },
        strict,
      ),
    ),
    containers: Type.Array(Type.String(), { description: 'Stopped ones of apps that are gone.' }),
    kept: Type.Array(Type.Object({ name: Type.String(), why: Type.String() }, strict)),
    stale_cache_bytes: Type.Integer({
      description: 'Build cache that nobody used for a day; the newest 5 GB stay all the same.',
    }),
    before: { ...Measured, description: "By the engine's own account." },
    after: Nullable(Measured),
  },
  strict,
)

export const PruneDocument = Type.Object(
  {
    host: Type.String(),
    dry_run: Type.Boolean(),
    engines: Type.Array(EnginePrune, { description: 'Each engine of the host, its own (local) first.' }),
    problems: Type.Array(Type.Object({ engine: Type.String(), problem: Type.String() }, strict), {
      description: 'Engines on which nothing was done, and why.',
    }),
  },
  strict,
)
export type PruneDocument = Static<typeof PruneDocument>
