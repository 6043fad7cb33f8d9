import { type Static, Type } from 'typebox'
import { ImagePath } from '#commands/image-data.ts'
import { BuildSettings } from './build-settings.ts'

const strict = { additionalProperties: false } as const

/** May hold {name}, {version} and {commit}. */
const Reference = Type.String({ minLength: 1, maxLength: 512, pattern: '^[!-~]+$' })

const PushEntry = Type.Union([
  Reference,
  Type.Object(
    {
      reference: Reference,
      username: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
      password: Type.Optional(
        Type.String({
          pattern: '^\\$[A-Za-z_][A-Za-z0-9_]{0,127}$',
          description: '"$NAME": the secret of that name.',
        }),
      ),
      ca: Type.Optional(
        Type.String({
          maxLength: 65_536,
          description: 'The certificate authority of the registry in PEM, or "$NAME".',
        }),
      ),
    },
    strict,
  ),
])

export const ImageSettings = Type.Object(
  {
    ...BuildSettings,
    name: Type.Optional({
      ...ImagePath,
      description:
        'Name of the service. Default: "service_name" of the version\'s file, else the name of the app.',
    }),
    version: Type.Optional(
      Type.Union(
        [
          Type.String({ minLength: 1, maxLength: 128 }),
          Type.Object(
            {
              from: Type.String({
                minLength: 1,
                maxLength: 300,
                description:
                  '"commit", "tag", "request", or a file of the repository: package.json, pyproject.toml, Cargo.toml, a JSON, YAML or properties file with "version", or a text file with nothing else.',
              }),
            },
            strict,
          ),
        ],
        { description: 'Default: { from: commit }. A version that is asked for with a deployment wins.' },
      ),
    ),
    push: Type.Optional(
      Type.Array(PushEntry, {
        maxItems: 16,
        description:
          'Where the image goes: references with {name}, {version} and {commit}. Default: {name}:{version} in the registry of the manager. An empty list: it stays on the host.',
      }),
    ),
    sbom: Type.Optional(
      Type.Boolean({
        description:
          'false: no bill of materials and no provenance is put beside the image in its registries. Default: true.',
      }),
    ),
    overwrite: Type.Optional(
      Type.Boolean({
        description:
          'A version that a registry has with another content is replaced. Default: that is refused; only "latest" and tags without {version} and {commit} may move.',
      }),
    ),
  },
  strict,
)
export type ImageSettings = Static<typeof ImageSettings>
