import { type Static, Type } from 'typebox'
import { Wait } from './apps.ts'
import { Commit, Id, Name, Nullable, Page, PageQuery, strict, Time } from './fields.ts'

export const ServiceName = Type.String({ minLength: 1, maxLength: 200 })
const Version = Type.String({ minLength: 1, maxLength: 200 })

export const AttestationKind = Type.Union([Type.Literal('sbom'), Type.Literal('provenance')])

export const ArtifactDocument = Type.Object(
  {
    id: Id,
    type: Type.Literal('docker'),
    service_name: ServiceName,
    version: Version,
    image: Type.String({ description: 'Its name on the host that built it: service_name:version.' }),
    image_id: Nullable(Type.String()),
    references: Type.Array(
      Type.Object(
        {
          reference: Type.String({ description: 'As it is pulled from a registry.' }),
          digest: Type.String({ description: 'Of the manifest that the registry answered with.' }),
        },
        strict,
      ),
    ),
    attestations: Type.Array(
      Type.Object(
        {
          kind: AttestationKind,
          media_type: Type.String(),
          digest: Type.String({ description: 'Of the text, which the registries have as a layer.' }),
          bytes: Type.Integer(),
          manifests: Type.Array(
            Type.Object(
              {
                reference: Type.String(),
                digest: Type.String({ description: 'Of the manifest whose subject is the image.' }),
              },
              strict,
            ),
          ),
        },
        strict,
      ),
      { description: 'What is said of the image beside it in its registries.' },
    ),
    bytes: Nullable(Type.Integer({ description: 'Compressed, as it is pulled; null: no registry said.' })),
    app: Name,
    commit: Commit,
    deployment: Id,
    created_at: Time,
  },
  strict,
)
export type ArtifactDocument = Static<typeof ArtifactDocument>
export const ArtifactPage = Page(ArtifactDocument)

export const ArtifactsQuery = Type.Object(
  {
    app: Type.Optional(Name),
    service_name: Type.Optional(ServiceName),
    version: Type.Optional(Version),
    ...PageQuery,
  },
  strict,
)

export const NewArtifact = Type.Object(
  {
    service_name: { ...ServiceName, description: 'Of an app with target "image", or the name of that app.' },
    version: Version,
    type: Type.Optional(
      Type.String({ maxLength: 100, description: '"docker" (default), in any case of letters.' }),
    ),
    commit: Type.Optional(Commit),
    wait_seconds: Wait,
  },
  strict,
)
export type NewArtifact = Static<typeof NewArtifact>

export const ServiceNameDocument = Type.Object(
  {
    name: ServiceName,
    repository: Type.String({ description: 'The one that makes artefacts of that name.' }),
    app: Nullable({
      ...Name,
      description: 'That made the first one; null: an administrator named the repository.',
    }),
    since: Time,
  },
  strict,
)
export type ServiceNameDocument = Static<typeof ServiceNameDocument>
export const ServiceNameList = Type.Object({ items: Type.Array(ServiceNameDocument) }, strict)
export const ServiceNameGrant = Type.Object({ repository: Name }, strict)
