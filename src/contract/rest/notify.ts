import { type Static, Type } from 'typebox'
import { Id, Name, Nullable, strict } from './fields.ts'

export const NotifyAnswer = Type.Object(
  {
    repository: Name,
    project: Nullable(Type.String()),
    /** Empty where the project has no app yet: the repository is looked at. */
    deployments: Type.Array(Id),
    ignored: Type.Optional(Type.String({ description: 'Why nothing is done, such as "stopped".' })),
  },
  strict,
)
export type NotifyAnswer = Static<typeof NotifyAnswer>
