import { type Static, Type } from 'typebox'
import { Name, Nullable, strict, Time } from './fields.ts'

export const HeldRemovalList = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          app: Name,
          why: Type.Enum(['many', 'moved', 'approval'], {
            description:
              '"many": with it more than half of the apps of the repository would go; "moved": all of them, since its branch or address was changed; "approval": its deployments need one.',
          }),
          /** The commit whose files wanted it first. */
          commit: Type.String(),
          since: Time,
          allowed_by: Nullable(Type.String({ description: 'null: it waits for a person.' })),
          allowed_at: Nullable(Time),
        },
        strict,
      ),
    ),
  },
  strict,
)
export type HeldRemovalList = Static<typeof HeldRemovalList>

export const RemovalsBody = Type.Object(
  { apps: Type.Array(Name, { minItems: 1, maxItems: 1000, description: 'Those that may be removed.' }) },
  strict,
)
export type RemovalsBody = Static<typeof RemovalsBody>
