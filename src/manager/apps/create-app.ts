import type { NewApp } from '#contract/rest/apps.ts'
import { newId } from '#lib/id.ts'
import type { DeploymentsContext } from '#manager/deployments/request.ts'
import { repositoryNamed } from '#manager/repositories/queries.ts'
import { isConstraintViolation } from '#manager/store/store-error.ts'
import { afterCommit } from '#manager/store/transaction.ts'
import { APP_EXISTS, HOST_OF_OTHERS } from './errors.ts'
import { hostFor } from './host-for.ts'
import { type AppRecord, readApp } from './queries.ts'

/** Registers an app of a repository. Nothing is deployed yet; its target is known when the repository was read. */
export async function createApp(
  context: DeploymentsContext,
  wanted: NewApp,
  { mayChooseHost }: { readonly mayChooseHost: boolean },
): Promise<AppRecord> {
  const { db, clock, events } = context
  const repository = await repositoryNamed(db, wanted.repository)
  if (!mayChooseHost && wanted.host !== undefined && wanted.host !== repository.host) {
    throw HOST_OF_OTHERS(wanted.host, repository.host)
  }
  const now = clock.now()
  const row = {
    id: newId(),
    name: wanted.name,
    repository_id: repository.id,
    entry: wanted.entry ?? wanted.name,
    target: UNREAD,
    overrides: JSON.stringify({
      ...wanted.overrides,
      ...(wanted.engine === undefined ? {} : { engine: wanted.engine }),
    }),
    host: await hostFor(db, wanted.host ?? repository.host),
    approval: wanted.approval === 'required' ? 1 : null,
    observed: null,
    version: 1,
    created_at: now,
    updated_at: now,
  }
  try {
    await db.insertInto('apps').values(row).execute()
  } catch (error) {
    throw isConstraintViolation(error) ? APP_EXISTS(wanted.name) : error
  }
  afterCommit(db, () => events.publish('app', { id: row.id, app: row.name, state: 'created' }))
  return await readApp(db, row.name)
}

/** Stands for the target until a deployment has read the deploy file. */
const UNREAD = 'auto'
