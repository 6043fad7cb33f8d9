import { type Static, Type } from 'typebox'
import { Nullable, strict } from './fields.ts'

export const HostCheckList = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          detail: Type.String(),
          mend: Nullable(Type.String({ description: 'What to do; null: it is well.' })),
        },
        strict,
      ),
    ),
  },
  strict,
)
export type HostCheckList = Static<typeof HostCheckList>
