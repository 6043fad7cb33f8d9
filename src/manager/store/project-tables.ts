import type { RoleName } from '#contract/rest/people.ts'
import type { ItemKind } from '#contract/rest/projects.ts'

/** What a team works on; conventions as in tables.ts. */
export interface ProjectTable {
  id: string
  name: string
  created_at: number
}

export interface MemberTable {
  project_id: string
  person_id: string
  role: RoleName
}

/** Where an app or a repository belongs to; an app without a row belongs where its repository does. */
export interface ProjectItemTable {
  kind: ItemKind
  /** Id of the app or repository. */
  item: string
  project_id: string | null
  owner_id: string | null
}
