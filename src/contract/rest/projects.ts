import { type Static, Type } from 'typebox'
import { Name, strict } from './fields.ts'
import { Email, RoleName } from './people.ts'

export const ItemKind = Type.Enum(['app', 'repository'])
export type ItemKind = Static<typeof ItemKind>

const Member = Type.Object({ name: Type.String(), email: Email, role: RoleName }, strict)
const Item = Type.Object(
  {
    kind: ItemKind,
    name: Name,
    owner: Type.Union([Email, Type.Null()], { description: 'May do with it what a maintainer may.' }),
  },
  strict,
)

export const ProjectDocument = Type.Object(
  {
    name: Name,
    role: Type.Union([RoleName, Type.Null()], { description: 'Of who asks.' }),
  },
  strict,
)
export type ProjectDocument = Static<typeof ProjectDocument>
export const ProjectList = Type.Object({ items: Type.Array(ProjectDocument) }, strict)
export const NewProject = Type.Object({ name: Name }, strict)
export const ProjectDetail = Type.Object(
  { name: Name, members: Type.Array(Member), items: Type.Array(Item) },
  strict,
)
export type ProjectDetail = Static<typeof ProjectDetail>

export const MemberBody = Type.Object(
  { email: Email, role: Type.Union([RoleName, Type.Null()], { description: 'null: no member any more.' }) },
  strict,
)
export const ItemBody = Type.Object(
  { kind: ItemKind, name: Name, owner: Type.Optional(Type.Union([Email, Type.Null()])) },
  strict,
)
export type ItemBody = Static<typeof ItemBody>
