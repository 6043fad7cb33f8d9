import { type Static, Type } from 'typebox'
import { strict } from './fields.ts'

/** How apps can run, each with the settings that it has: what forms are made from. */
export const TargetList = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          summary: Type.String(),
          schema: Type.Record(Type.String(), Type.Unknown(), {
            description: 'JSON Schema of an app of this target in a deploy file.',
          }),
        },
        strict,
      ),
    ),
  },
  strict,
)
export type TargetList = Static<typeof TargetList>
