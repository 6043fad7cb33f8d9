import type { Kysely } from 'kysely'
import { LOCAL_ENGINE } from '#commands/engine.ts'
import { refuseUnknownLists } from '#manager/firewall/address-lists.ts'
import { GUARDIAN_MISSING } from '#manager/firewall/errors.ts'
import { guardianOf } from '#manager/firewall/openings.ts'
import type { Tables } from '#manager/store/tables.ts'
import { system } from '#targets/system.ts'
import type { SystemSettings } from '#targets/system-settings.ts'
import { PORT_TWICE, PORTS_EXHAUSTED } from './errors.ts'
import type { PortRange } from './port-range.ts'

type Db = Kysely<Tables>
export type SystemPort = SystemSettings['ports'][number]
/** A port of the container that is to be reached, before it has one of the host. */
export type WantedPort = Omit<SystemPort, 'host'>

interface Place {
  readonly appId: string
  readonly host: string
  readonly range: PortRange
}

/**
 * Gives each wanted port one of the host: the one that it has, or the lowest that no system has and that no app binds or
 * has opened. Those that are not wanted any more are free from now on. PORT_TWICE when one is wanted twice. Part of the
 * transaction that stores the settings.
 */
export async function givePorts(
  db: Db,
  { appId, host, range }: Place,
  { wanted, before }: { readonly wanted: readonly WantedPort[]; readonly before: readonly SystemPort[] },
): Promise<SystemPort[]> {
  refuseTwice(wanted)
  const taken = await takenPorts(db, { appId, host, range })
  const knownAs = ({ protocol, container }: WantedPort) =>
    before.find(each => each.protocol === protocol && each.container === container)
  // Wherever they stand among the wanted ones: none of those that it keeps is given to another of its own.
  for (const { protocol, host: kept } of wanted.flatMap(port => knownAs(port) ?? [])) {
    taken.add(`${protocol} ${kept}`)
  }
  const given: SystemPort[] = []
  for (const port of wanted) {
    const free = knownAs(port)?.host ?? firstFree(taken, port.protocol, range)
    if (free === undefined) {
      throw PORTS_EXHAUSTED(host, range.first, range.last)
    }
    taken.add(`${port.protocol} ${free}`)
    given.push({ ...port, host: free })
  }
  await db.deleteFrom('system_ports').where('app_id', '=', appId).execute()
  for (const { protocol, host: port } of given) {
    await db.insertInto('system_ports').values({ app_id: appId, host, protocol, port }).execute()
  }
  return given
}

/**
 * GUARDIAN_MISSING when a port is to be open for some only, and nobody keeps the others out; APP_SETTING_WRONG and
 * ADDRESS_LIST_NOT_FOUND for a source that is none.
 */
export async function refuseUnkeptSources(
  db: Db,
  settings: Pick<SystemSettings, 'ports' | 'guarded'>,
  host: string,
): Promise<void> {
  const { ports, guarded } = settings
  const some = ports.filter(({ sources }) => sources.length > 0)
  if (!guarded && some.length > 0) {
    throw GUARDIAN_MISSING(host, some.map(each => `${each.container}/${each.protocol}`).join(', '))
  }
  await refuseUnknownLists(db, system.opens?.(settings as never) ?? [])
}

function refuseTwice(wanted: readonly WantedPort[]): void {
  const names = wanted.map(({ protocol, container }) => `${container}/${protocol}`)
  const twice = names.find((name, place) => names.indexOf(name) !== place)
  if (twice !== undefined) {
    throw PORT_TWICE(twice)
  }
}

async function takenPorts(db: Db, { appId, host, range }: Place): Promise<Set<string>> {
  const systems = await db
    .selectFrom('system_ports')
    .select(['protocol', 'port'])
    .where('host', '=', host)
    .where('app_id', '!=', appId)
    .execute()
  const guardian = await guardianOf(db, host)
  const openings = await db
    .selectFrom('openings')
    .innerJoin('apps', 'apps.id', 'openings.app_id')
    .innerJoin('hosts', 'hosts.name', 'apps.host')
    .select(['protocol', 'first', 'last'])
    .where('app_id', '!=', appId)
    .where(eb => eb.or([eb('apps.host', '=', host), eb('hosts.guardian', '=', guardian ?? '')]))
    .execute()
  const published = await db
    .selectFrom('published_ports')
    .innerJoin('apps', 'apps.id', 'published_ports.app_id')
    .select(['protocol', 'first', 'last'])
    .where('apps.host', '=', host)
    .where('published_ports.engine', '=', LOCAL_ENGINE)
    .execute()
  const taken = new Set(systems.map(({ protocol, port }) => `${protocol} ${port}`))
  for (const { protocol, first, last } of [...openings, ...published]) {
    for (let port = Math.max(first, range.first); port <= Math.min(last, range.last); port += 1) {
      taken.add(`${protocol} ${port}`)
    }
  }
  return taken
}

function firstFree(
  taken: ReadonlySet<string>,
  protocol: string,
  { first, last }: PortRange,
): number | undefined {
  for (let port = first; port <= last; port += 1) {
    if (!taken.has(`${protocol} ${port}`)) {
      return port
    }
  }
  return undefined
}
