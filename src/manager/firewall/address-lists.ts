import type { Kysely, Selectable } from 'kysely'
import type { AddressListSource } from '#contract/rest/address-lists.ts'
import { listNamedBy } from '#firewall/named-list.ts'
import type { Opening } from '#firewall/opening.ts'
import { asFairleadError } from '#lib/errors.ts'
import type { ManagerParts } from '#manager/parts.ts'
import type { AddressListTable } from '#manager/store/address-list-table.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import {
  ADDRESS_LIST_IN_USE,
  ADDRESS_LIST_NOT_FOUND,
  ADDRESS_LIST_UNUSABLE,
  ADDRESS_LISTS_FULL,
} from './errors.ts'
import { placeOf, readNetworks } from './list-source.ts'

type Db = Kysely<Tables>
type Parts = Pick<ManagerParts, 'db' | 'clock' | 'http' | 'logger'>
export type AddressListRow = Selectable<AddressListTable>

const MOST_LISTS = 50
const MOST_BYTES = 4 * 1024 * 1024

export async function listAddressLists(db: Db): Promise<AddressListRow[]> {
  return await db.selectFrom('address_lists').selectAll().orderBy('name').execute()
}

/** ADDRESS_LIST_NOT_FOUND. */
export async function readAddressList(db: Db, name: string): Promise<AddressListRow> {
  const row = await db.selectFrom('address_lists').selectAll().where('name', '=', name).executeTakeFirst()
  if (!row) {
    throw ADDRESS_LIST_NOT_FOUND(name)
  }
  return row
}

/** Reads a list where it is published, and keeps it; one that cannot be read now is not taken. */
export async function putAddressList(
  parts: Parts,
  name: string,
  source: AddressListSource,
): Promise<AddressListRow> {
  const networks = await fetched(parts, name, source)
  const now = parts.clock.now()
  const read = { source: JSON.stringify(source), networks: JSON.stringify(networks) }
  const row = { ...read, fetched_at: now, asked_at: now, problem: null }
  return await inTransaction(parts.db, async db => {
    const others = await db.selectFrom('address_lists').select('name').where('name', '!=', name).execute()
    if (others.length >= MOST_LISTS) {
      throw ADDRESS_LISTS_FULL(MOST_LISTS)
    }
    return await db
      .insertInto('address_lists')
      .values({ name, created_at: now, ...row })
      .onConflict(same => same.column('name').doUpdateSet(row))
      .returningAll()
      .executeTakeFirstOrThrow()
  })
}

/** Reads it anew. When that does not work, what was read before holds, and the row says why. */
export async function refreshAddressList(parts: Parts, name: string): Promise<AddressListRow> {
  const { db, clock, logger } = parts
  const row = await readAddressList(db, name)
  const change: Partial<AddressListRow> = { asked_at: clock.now(), problem: null }
  try {
    const source = JSON.parse(row.source) as AddressListSource
    change.networks = JSON.stringify(await fetched(parts, name, source))
    change.fetched_at = clock.now()
  } catch (thrown) {
    const { code, message } = asFairleadError(thrown)
    change.problem = message
    logger.warn('firewall.list-not-read', { list: name, code, reason: message })
  }
  if (change.networks !== undefined && change.networks !== row.networks) {
    logger.info('firewall.list-changed', { list: name })
  }
  const update = db.updateTable('address_lists').set(change).where('name', '=', name)
  // Unless it was changed meanwhile to be read elsewhere.
  await update.where('source', '=', row.source).execute()
  return await readAddressList(db, name)
}

/** ADDRESS_LIST_IN_USE while ports are open for it. */
export async function removeAddressList(db: Db, name: string): Promise<void> {
  await inTransaction(db, async inside => {
    await readAddressList(inside, name)
    const apps = (await usersOfLists(inside)).get(name) ?? []
    if (apps.length > 0) {
      throw ADDRESS_LIST_IN_USE(name, apps.join(', '))
    }
    await inside.deleteFrom('address_lists').where('name', '=', name).execute()
  })
}

/** List -> apps with ports that are open for it. */
export async function usersOfLists(db: Db): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await db
    .selectFrom('openings')
    .innerJoin('apps', 'apps.id', 'openings.app_id')
    .select(['apps.name', 'sources'])
    .where('sources', 'like', '%"@%')
    .execute()
  const users = new Map<string, string[]>()
  for (const { name, sources } of rows) {
    for (const list of listsOf(JSON.parse(sources) as string[])) {
      users.set(list, [...new Set([...(users.get(list) ?? []), name])].sort())
    }
  }
  return users
}

/** The same with the networks of lists in place of their names. What is open for an empty list only is open for nobody. */
export async function withNetworks<O extends Opening>(db: Db, openings: readonly O[]): Promise<O[]> {
  const names = [...new Set(openings.flatMap(({ sources }) => listsOf(sources)))]
  if (names.length === 0) {
    return [...openings]
  }
  const rows = await db
    .selectFrom('address_lists')
    .select(['name', 'networks'])
    .where('name', 'in', names)
    .execute()
  const networks = new Map(rows.map(row => [row.name, JSON.parse(row.networks) as string[]]))
  return openings.flatMap(opening => {
    const sources = opening.sources.flatMap(source => {
      const list = listNamedBy(source)
      return list === undefined ? [source] : (networks.get(list) ?? [])
    })
    return opening.sources.length > 0 && sources.length === 0 ? [] : [{ ...opening, sources }]
  })
}

/** ADDRESS_LIST_NOT_FOUND for a list that there is not. */
export async function refuseUnknownLists(db: Db, openings: readonly Opening[]): Promise<void> {
  for (const list of new Set(openings.flatMap(({ sources }) => listsOf(sources)))) {
    await readAddressList(db, list)
  }
}

function listsOf(sources: readonly string[]): string[] {
  return sources.flatMap(source => listNamedBy(source) ?? [])
}

async function fetched({ http }: Parts, name: string, source: AddressListSource): Promise<string[]> {
  const { url, path } = placeOf(source)
  const headers = { accept: path === undefined ? 'text/plain' : 'application/json' }
  const { status, body } = await http.send({ method: 'GET', url, headers }, { mostBytes: MOST_BYTES })
  if (status !== 200) {
    throw ADDRESS_LIST_UNUSABLE(name, `${new URL(url).host} answered ${status}`)
  }
  return readNetworks(name, body, path)
}
