import type { Selectable } from 'kysely'
import type { ReadApp } from '#deploy-file/read-apps.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'
import { AS_CHANGED, takesActions, type Wish, wishOf } from '#manager/triggers/commit-actions.ts'
import type { Source } from './source.ts'

/** What the message of the commit asks for an app of the repository; nothing where messages may not ask. */
export function wishFor(
  repository: Pick<Selectable<RepositoryTable>, 'commit_actions' | 'is_private'>,
  { actions = [] }: Pick<Source, 'actions'>,
  { name, files }: Pick<ReadApp, 'name' | 'files'>,
): Wish {
  return takesActions(repository) ? wishOf(actions, files ?? { kind: 'stack', name }) : AS_CHANGED
}
