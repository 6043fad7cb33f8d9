import type { Kysely } from 'kysely'
import { isAddressOf, pathOf, serverOf } from '#git-hosts/repository-path.ts'
import { asFairleadError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { joinedIn } from '#manager/pipeline/source.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { Poller } from './poll.ts'

interface Parts {
  readonly db: Kysely<Tables>
  readonly logger: Logger
  readonly poller: Pick<Poller, 'look'>
}

/**
 * After a push to a repository those are looked at whose apps take files of it, which otherwise the next poll would see.
 * It is only a hint, outside of the delivery: while one is being looked up, another one for the same adds nothing.
 */
export function createUserLooks({ db, logger, poller }: Parts): (repositoryId: string) => void {
  const underWay = new Set<string>()

  async function look(id: string): Promise<void> {
    for (const user of await usersOf(db, id)) {
      poller.look(user)
    }
  }

  return id => {
    if (underWay.has(id)) {
      return
    }
    underWay.add(id)
    look(id)
      .catch(error => {
        const { message } = asFairleadError(error)
        logger.warn('hook.users', { repository: id, message })
      })
      .finally(() => underWay.delete(id))
  }
}

/** Repositories whose apps had files of this one when they were deployed last. */
async function usersOf(db: Kysely<Tables>, id: string): Promise<readonly string[]> {
  const own = await db.selectFrom('repositories').select('url').where('id', '=', id).executeTakeFirst()
  if (!own) {
    return []
  }
  const rows = await db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select(['apps.repository_id', 'deployments.remotes'])
    .where('deployments.id', 'in', eb =>
      eb
        .selectFrom('deployments as each')
        .select(({ fn }) => fn.max('each.id').as('id'))
        .where('each.remotes', 'is not', null)
        .groupBy('each.app_id'),
    )
    .execute()
  const using = rows.filter(({ remotes }) =>
    joinedIn({ remotes })?.remotes.some(({ url }) => isSamePlace(url, own.url)),
  )
  return [...new Set(using.flatMap(row => row.repository_id ?? []))].filter(each => each !== id)
}

/** Whether by HTTPS or by SSH. */
function isSamePlace(url: string, other: string): boolean {
  return (
    serverOf(url) === serverOf(other) && isAddressOf(url, pathOf(other)) && isAddressOf(other, pathOf(url))
  )
}
