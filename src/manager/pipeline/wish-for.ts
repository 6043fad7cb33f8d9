import type { Selectable } from 'kysely'
import type { ReadApp } from '#deploy-file/read-apps.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'
import { AS_CHANGED, takesActions, type Wish, wishOf } from '#manager/triggers/commit-actions.ts'
import type { Source } from './source.ts'
import type { StepContext, StepOutcome } from './step.ts'

/** What the message of the commit asks for an app of the repository; nothing where messages may not ask. */
export function wishFor(
  repository: Pick<Selectable<RepositoryTable>, 'commit_actions' | 'is_private'>,
  { actions = [] }: Pick<Source, 'actions'>,
  { name, files }: Pick<ReadApp, 'name' | 'files'>,
): Wish {
  return takesActions(repository) ? wishOf(actions, files ?? { kind: 'stack', name }) : AS_CHANGED
}

/** The message of the commit asks for other apps: this one stays as it is, and so does what changed for it. */
export function endNotAsked(
  { say }: Pick<StepContext, 'say'>,
  { actions }: Pick<Source, 'actions'>,
): StepOutcome {
  say('the message of the commit asks for other apps')
  return { kind: 'finished', outcome: 'not-asked', evidence: { actions } }
}
