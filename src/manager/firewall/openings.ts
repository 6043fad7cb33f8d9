import type { Kysely } from 'kysely'
import { asOpenings, openPorts } from '#firewall/open-ports.ts'
import { type Opening, overlaps, writeOpening, writePorts } from '#firewall/opening.ts'
import { type Deployment, endsAll } from '#manager/deployments/deployment.ts'
import type { EndedPipeline } from '#manager/pipeline/step.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { refuseUnknownLists } from './address-lists.ts'
import { GUARDIAN_MISSING, PORT_TAKEN_BY_APP } from './errors.ts'

type Db = Kysely<Tables>

export interface AppOpening extends Opening {
  readonly app: string
}

interface Claim {
  readonly app: { readonly id: string; readonly host: string }
  readonly deployment: string
  readonly openings: readonly Opening[]
}

/** All that apps of the hosts want that a guardian keeps, with the apps. */
export async function openingsAt(db: Db, guardian: string): Promise<AppOpening[]> {
  const rows = await openingRows(db, guardian)
  return rows.map(({ deployment: _, ...opening }) => opening)
}

/** The same with the deployments that wanted them. */
export async function openingRows(
  db: Db,
  guardian: string,
): Promise<(AppOpening & { readonly deployment: string })[]> {
  const rows = await db
    .selectFrom('openings')
    .innerJoin('apps', 'apps.id', 'openings.app_id')
    .innerJoin('hosts', 'hosts.name', 'apps.host')
    .select(['apps.name as app', 'deployment_id as deployment', 'protocol', 'first', 'last', 'sources'])
    .where('hosts.guardian', '=', guardian)
    .orderBy('protocol')
    .orderBy('first')
    .orderBy('apps.name')
    .execute()
  return rows.map(row => ({ ...row, sources: JSON.parse(row.sources) as string[] }))
}

/**
 * Notes what a deployment wants beside what the app has: both are open until it has ended. Gives the guardian that
 * opens them. GUARDIAN_MISSING, or PORT_TAKEN_BY_APP when another app has such a port at the same guardian.
 */
export async function claimOpenings(db: Db, { app, deployment, openings }: Claim): Promise<string> {
  return await inTransaction(db, async transaction => {
    const guardian = await guardianOf(transaction, app.host)
    if (guardian === undefined) {
      throw GUARDIAN_MISSING(app.host, openings.map(writePorts).join(', '))
    }
    await refuseUnknownLists(transaction, openings)
    const others = await transaction
      .selectFrom('openings')
      .innerJoin('apps', 'apps.id', 'openings.app_id')
      .innerJoin('hosts', 'hosts.name', 'apps.host')
      .select(['protocol', 'first', 'last'])
      .where('hosts.guardian', '=', guardian)
      .where('app_id', '!=', app.id)
      .execute()
    const reserved = await portsOfSystems(transaction, app)
    const all = [...others, ...reserved]
    const taken = openings.find(opening => all.some(other => overlaps(opening, other)))
    if (taken) {
      throw PORT_TAKEN_BY_APP(writePorts(taken), app.host)
    }
    await transaction
      .deleteFrom('openings')
      .where('app_id', '=', app.id)
      .where('deployment_id', '=', deployment)
      .execute()
    for (const { sources, ...ports } of openings) {
      await transaction
        .insertInto('openings')
        .values({ app_id: app.id, deployment_id: deployment, ...ports, sources: JSON.stringify(sources) })
        .execute()
    }
    return guardian
  })
}

/** Those that system containers of the host have, whether they run or not. */
export async function portsOfSystems(
  db: Db,
  { id, host }: Claim['app'],
): Promise<Omit<Opening, 'sources'>[]> {
  const rows = await db
    .selectFrom('system_ports')
    .select(['protocol', 'port'])
    .where('host', '=', host)
    .where('app_id', '!=', id)
    .execute()
  return rows.map(({ protocol, port }) => ({ protocol, first: port, last: port }))
}

/** Takes all openings of the app from it but those of the deployment; gives the guardian when there were any. */
export async function keepOnly(
  db: Db,
  app: { readonly id: string; readonly host: string },
  deployment: string | undefined,
): Promise<string | undefined> {
  const result = await db
    .deleteFrom('openings')
    .where('app_id', '=', app.id)
    .where('deployment_id', '!=', deployment ?? '')
    .executeTakeFirst()
  return result.numDeletedRows === 0n ? undefined : await guardianOf(db, app.host)
}

/** With the end of a deployment: those of what does not run any more, or of what never came to run. */
export async function releaseOpenings(
  db: Db,
  deployment: Pick<Deployment, 'id' | 'appId' | 'kind'>,
  end: EndedPipeline,
): Promise<void> {
  for (const table of ['openings', 'published_ports'] as const) {
    const gone = db.deleteFrom(table).where('app_id', '=', deployment.appId)
    if (end.state !== 'succeeded') {
      await gone.where('deployment_id', '=', deployment.id).execute()
    } else if (endsAll(deployment)) {
      // Also where the app stays, because a push waits behind its removal: nothing of it runs, and that push may fail.
      await gone.execute()
    } else if (end.release) {
      await gone.where('deployment_id', '!=', deployment.id).execute()
    }
  }
}

export async function guardianOf(db: Db, host: string): Promise<string | undefined> {
  const row = await db.selectFrom('hosts').select('guardian').where('name', '=', host).executeTakeFirst()
  return row?.guardian ?? undefined
}

/** The same openings give the same text, whichever deployments want them. */
export function openText(openings: readonly Opening[]): string {
  return asOpenings(openPorts(openings)).map(writeOpening).join('\n')
}
