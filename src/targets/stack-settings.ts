import { type Static, Type } from 'typebox'
import { VariableName } from '#commands/compose-data.ts'
import { TreePath } from '#commands/image-data.ts'
import { StackName } from '#commands/swarm-data.ts'
import { FollowImages } from './followed-tags.ts'
import { VerifySettings } from './verify-settings.ts'

const strict = { additionalProperties: false } as const

const Scalar = Type.Union([Type.String({ maxLength: 65_536 }), Type.Number(), Type.Boolean()])

const { http, status, within } = VerifySettings.properties

/** What is asked of a stack, besides that all its tasks run and are healthy. */
const StackVerify = Type.Object(
  {
    http,
    status,
    within,
    port: Type.Optional(
      Type.Integer({
        ...{ minimum: 1, maximum: 65_535 },
        description: 'The published port that is asked; default: the only one that is published over TCP.',
      }),
    ),
  },
  strict,
)

export const StackSettings = Type.Object(
  {
    files: Type.Optional(
      Type.Array(TreePath, {
        minItems: 1,
        maxItems: 10,
        description: 'From the root of the repository, merged in this order; default: compose.yaml.',
      }),
    ),
    stack: Type.Optional(StackName),
    environment: Type.Optional(
      Type.Record(VariableName, Scalar, {
        description:
          'Variables for ${NAME} in the Compose files. A value "$NAME" is the secret of that name.',
      }),
    ),
    push: Type.Optional(
      Type.Boolean({
        description: 'Push built images to the registry; default: true. A swarm of several nodes needs it.',
      }),
    ),
    follow_images: FollowImages,
    verify: Type.Optional(StackVerify),
  },
  strict,
)
export type StackSettings = Static<typeof StackSettings>
