import type { Kysely } from 'kysely'
import { type NotebookPackages, notebookPackages } from '#commands/notebook-packages.ts'
import { newId } from '#lib/id.ts'
import type { Place } from '#manager/outbox/places.ts'
import { type PuttingContext, packagesPlace, putIn, replaceEarlier } from '#manager/outbox/put.ts'
import { newestRelease } from '#manager/releases/queries.ts'
import type { Tables } from '#manager/store/tables.ts'
import { releasedNotebook } from '#targets/notebook-release.ts'
import type { ReleaseFacts } from '#targets/target.ts'
import type { LinksParts } from './links-place.ts'

const WAIT_MS = 20_000
/** Environments of an app whose packages are kept, the newest ones. */
const MOST_KEPT = 20

/**
 * Puts in line that a new environment is asked what it resolved to, inside the transaction that ends its deployment: its
 * server is there by then, and nothing waits for the answer. What another project knows of the same image is taken over;
 * the base image is known by its digest.
 */
export async function notePackages(
  context: PuttingContext,
  appId: string,
  release: Pick<ReleaseFacts, 'content'>,
): Promise<void> {
  const { db } = context
  const { environment = '' } = releasedNotebook(release) ?? {}
  if (environment === '' || environment.startsWith('b-')) {
    return
  }
  const known = await db
    .selectFrom('notebook_packages')
    .selectAll()
    .where('environment', '=', environment)
    .orderBy(eb => eb('app_id', '=', appId), 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!known) {
    const about = { place: packagesPlace(appId), subject: '' }
    await replaceEarlier(context, about)
    await putIn(context, [{ ...about, payload: {} }])
  } else if (known.app_id !== appId) {
    await db
      .insertInto('notebook_packages')
      .values({ ...known, app_id: appId })
      .execute()
  }
}

/** The worker of an app is asked for the packages of the environment that its newest release has. */
export function notebookPackagesPlace({ db, agents, clock }: LinksParts, appId: string): Place {
  return {
    async deliver() {
      const asked = await environmentOf(db, appId)
      if (!asked) {
        return { kind: 'unwanted' }
      }
      const { host, engine, ...params } = asked
      const { name: command, deadlineMs } = notebookPackages
      const { packages, runs } = (await agents.tell(host, {
        ...{ id: newId(), command, deadlineMs, waitMs: WAIT_MS, params },
        ...(engine === null ? {} : { engine }),
      })) as { readonly packages: NotebookPackages | null; readonly runs: boolean }
      if (!runs) {
        return { kind: 'later', reason: 'its server does not run' }
      }
      const row = { app_id: appId, environment: params.environment, read_at: clock.now() }
      await keep(db, { ...row, packages: JSON.stringify(packages) })
      return { kind: 'sent' }
    },
    noteSent: async () => undefined,
    // That a server sleeps is no problem; the next deployment asks again.
    noteProblem: async (_, { error }) => error,
  }
}

/** Undefined: the app is gone, or its newest release has none that has to be asked for. */
async function environmentOf(db: Kysely<Tables>, appId: string) {
  const app = await db
    .selectFrom('apps')
    .select(['name', 'host', 'engine'])
    .where('id', '=', appId)
    .executeTakeFirst()
  const release = app && (await newestRelease(db, appId))
  const { environment, pack } = (release && releasedNotebook({ content: JSON.parse(release.content) })) ?? {}
  if (!app || !environment || !pack || environment.startsWith('b-')) {
    return undefined
  }
  const { name, host, engine } = app
  return { app: name, host, engine, environment, pack }
}

async function keep(
  db: Kysely<Tables>,
  row: { app_id: string; environment: string; packages: string; read_at: number },
): Promise<void> {
  await db
    .insertInto('notebook_packages')
    .values(row)
    .onConflict(conflict => conflict.columns(['app_id', 'environment']).doUpdateSet(row))
    .execute()
  await db
    .deleteFrom('notebook_packages')
    .where('app_id', '=', row.app_id)
    .where('environment', 'not in', eb =>
      eb
        .selectFrom('notebook_packages as newer')
        .select('newer.environment')
        .where('newer.app_id', '=', row.app_id)
        .orderBy('newer.read_at', 'desc')
        .limit(MOST_KEPT),
    )
    .execute()
}
