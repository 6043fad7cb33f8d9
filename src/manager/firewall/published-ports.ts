import type { Kysely } from 'kysely'
import { LOCAL_ENGINE } from '#commands/engine.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { collide, type Publication } from '#targets/publication.ts'
import { PORT_TAKEN_BY_APP } from './errors.ts'
import { portsOfSystems } from './openings.ts'

type Db = Kysely<Tables>

interface Claim {
  readonly app: { readonly id: string; readonly host: string }
  readonly deployment: string
  /** Of the host; undefined: its own. */
  readonly engine: string | undefined
  readonly ports: readonly Publication[]
  /** Ids of apps that are going: they make room (make-room.ts). */
  readonly leaving?: readonly string[] | undefined
}

/**
 * Notes which ports of its host a deployment is going to bind, beside what the app has. PORT_TAKEN_BY_APP when another
 * app has one of them or is about to: which of two comes first must not depend on how long their services take to start.
 */
export async function claimPublished(db: Db, claim: Claim): Promise<void> {
  const { app, deployment, engine = LOCAL_ENGINE, ports } = claim
  await inTransaction(db, async transaction => {
    await refuseTakenPorts(transaction, claim)
    await transaction
      .deleteFrom('published_ports')
      .where('app_id', '=', app.id)
      .where('deployment_id', '=', deployment)
      .execute()
    for (const { protocol, first, last, address = null } of ports) {
      await transaction
        .insertInto('published_ports')
        .values({ app_id: app.id, deployment_id: deployment, engine, protocol, first, last, address })
        .execute()
    }
  })
}

/** PORT_TAKEN_BY_APP as when they are claimed; nothing is noted, so another app may still come first. */
export async function refuseTakenPorts(db: Db, wanted: Omit<Claim, 'deployment'>): Promise<void> {
  if (wanted.ports.length === 0) {
    return
  }
  const others = await portsOfOthers(db, wanted)
  const taken = wanted.ports.find(port => others.some(other => collide(port, other)))
  if (taken) {
    throw PORT_TAKEN_BY_APP(textOf(taken), wanted.app.host)
  }
}

async function portsOfOthers(
  db: Db,
  { app, engine = LOCAL_ENGINE, leaving = [] }: Omit<Claim, 'deployment'>,
): Promise<Publication[]> {
  const rows = await db
    .selectFrom('published_ports')
    .innerJoin('apps', 'apps.id', 'published_ports.app_id')
    .select(['protocol', 'first', 'last', 'address'])
    .where('apps.host', '=', app.host)
    .where('published_ports.engine', '=', engine)
    .where('app_id', 'not in', [app.id, ...leaving])
    .execute()
  const held = rows.map(({ address, ...row }) => ({ ...row, ...(address === null ? {} : { address }) }))
  return engine === LOCAL_ENGINE ? [...held, ...(await portsOfSystems(db, app))] : held
}

function textOf({ protocol, first, last }: Publication): string {
  return `${protocol} ${first === last ? first : `${first}-${last}`}`
}
