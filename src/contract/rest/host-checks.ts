import { type Static, Type } from 'typebox'
import { Nullable, strict } from './fields.ts'

const items = Type.Array(
  Type.Object(
    {
      name: Type.String(),
      detail: Type.String(),
      mend: Nullable(Type.String({ description: 'What to do; null: it is well.' })),
    },
    strict,
  ),
)

export const ManagerCheckList = Type.Object({ items }, strict)
export type ManagerCheckList = Static<typeof ManagerCheckList>

export const HostCheckList = Type.Object(
  {
    items,
    skew_ms: Nullable(
      Type.Integer({
        description: 'Its clock minus that of the manager; null: its agent is too old to tell.',
      }),
    ),
  },
  strict,
)
export type HostCheckList = Static<typeof HostCheckList>
