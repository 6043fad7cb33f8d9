import type { Kysely } from 'kysely'
import type { DeploymentsContext } from '#manager/deployments/request.ts'
import { repositoryNamed } from '#manager/repositories/queries.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { type Asked, askRepository } from './ask-repository.ts'
import { REPOSITORY_NOT_SAID } from './errors.ts'

/** A CI job says that a project was added or changed. */
export interface Notification {
  /** Name of the repository; undefined: the only one. */
  readonly repository: string | undefined
  /** Slug or folder; one that nobody knows yet is looked for. */
  readonly project: string | undefined
}

export type TakenNotification = Asked & { readonly repository: string }

/** As a webhook: it says "look". The branch is read and compared, and what did not change is left alone. */
export async function takeNotification(
  context: DeploymentsContext,
  { repository: named, project }: Notification,
): Promise<TakenNotification> {
  return await inTransaction(context.db, async db => {
    const { id, name } = await (named === undefined ? onlyRepository(db) : repositoryNamed(db, named))
    const known = project === undefined ? [] : await appsOfProject(db, id, project)
    const asked = await askRepository(
      { ...context, db },
      {
        repository: id,
        trigger: { kind: 'webhook', by: 'notify', ...(project === undefined ? {} : { detail: project }) },
        apps: known.length > 0 ? known : undefined,
      },
    )
    return { ...asked, repository: name }
  })
}

async function onlyRepository(db: Kysely<Tables>): Promise<{ id: string; name: string }> {
  const [first, ...others] = await db.selectFrom('repositories').select(['id', 'name']).limit(2).execute()
  if (!first || others.length > 0) {
    throw REPOSITORY_NOT_SAID()
  }
  return first
}

async function appsOfProject(db: Kysely<Tables>, repository: string, project: string): Promise<string[]> {
  const folder = project.replace(/^(?:\.?\/)+|\/+$/g, '')
  const rows = await db
    .selectFrom('apps')
    .leftJoin('notebooks', 'notebooks.app', 'apps.name')
    .select('apps.id')
    .where('apps.repository_id', '=', repository)
    .where(eb => eb.or([eb('apps.name', '=', project), eb('notebooks.folder', '=', folder)]))
    .execute()
  return rows.map(({ id }) => id)
}
