import type { Kysely, Selectable } from 'kysely'
import type { SeenEngine } from '#contract/engine.ts'
import type { NewHost } from '#contract/rest/hosts.ts'
import type { Clock } from '#lib/clock.ts'
import { pinOf } from '#link/public-identity.ts'
import { HOST_NOT_FOUND } from '#manager/agents/errors.ts'
import type { ManagerParts } from '#manager/parts.ts'
import type { HostTable, Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { certificateEnd } from './certificate-end.ts'
import { HOST_EXISTS, HOST_IN_USE, NOT_A_HOST } from './errors.ts'
import { HOST_KEY_EXISTS, HOST_KEY_REVOKED } from './join-errors.ts'

export interface HostRecord {
  readonly name: string
  readonly role: HostTable['role']
  readonly address: string
  readonly keyId: string
  readonly createdAt: number
  /** Of its newest certificate. */
  readonly certificateEndsAt: number
  /** As its worker told of them last. */
  readonly engines: readonly SeenEngine[]
  /** Who keeps the firewall of a worker. */
  readonly guardian: string | null
}

export async function listHosts(db: Kysely<Tables>): Promise<HostRecord[]> {
  const rows = await db.selectFrom('hosts').selectAll().orderBy('name').execute()
  return rows.map(fromRow)
}

/** HOST_NOT_FOUND. */
export async function readHost(db: Kysely<Tables>, name: string): Promise<HostRecord> {
  const row = await db.selectFrom('hosts').selectAll().where('name', '=', name).executeTakeFirst()
  if (!row) {
    throw HOST_NOT_FOUND(name)
  }
  return fromRow(row)
}

/** Pins the host's public identity and starts to dial it. */
export async function addHost(parts: ManagerParts, wanted: NewHost): Promise<HostRecord> {
  const row = await inTransaction(parts.db, db => insertHost({ db, clock: parts.clock }, wanted))
  await announceHost(parts, row.name)
  return fromRow(row)
}

/** Starts to dial a host that was stored. */
export async function announceHost(
  { agents, events }: Pick<ManagerParts, 'agents' | 'events'>,
  name: string,
): Promise<void> {
  await agents.refresh()
  events.publish('host', { name, state: 'added' })
}

/**
 * Stores a host with the pin of its key, inside a transaction. One that joined before and was never reached is
 * replaced: its enrolment broke off. So is one whose key was revoked, unless `isNamed` is false, that is, nobody but the
 * new host says that it is to have the name and with it the apps and secrets. NOT_A_HOST, HOST_EXISTS, HOST_KEY_EXISTS or HOST_KEY_REVOKED.
 */
export async function insertHost(
  { db, clock }: { readonly db: Kysely<Tables>; readonly clock: Clock },
  wanted: NewHost & { readonly joinedAt?: number; readonly isNamed?: boolean },
): Promise<Selectable<HostTable>> {
  const pin = pinOf(wanted.identity, 'The identity of the host')
  if (pin.role === 'manager') {
    throw NOT_A_HOST(pin.name)
  }
  const revoked = await db
    .selectFrom('revoked_keys')
    .selectAll()
    .where('key_id', '=', pin.keyId)
    .executeTakeFirst()
  if (revoked) {
    throw HOST_KEY_REVOKED(revoked.name, new Date(revoked.revoked_at).toISOString())
  }
  let guardian: string | null = null
  let isThere = false
  for (const host of await db.selectFrom('hosts').selectAll().execute()) {
    const isSameKey = keyIdIn(host) === pin.keyId
    const isSuccession = host.name === pin.name && host.role === pin.role && wanted.isNamed !== false
    if (host.revoked_at !== null && isSuccession) {
      guardian = host.guardian
      isThere = true
    } else if (isSameKey && host.name === pin.name && wanted.joinedAt !== undefined && isHalfEnrolled(host)) {
      isThere = true
    } else if (isSameKey && (host.name !== pin.name || wanted.joinedAt !== undefined)) {
      throw HOST_KEY_EXISTS(host.name, host.address)
    } else if (host.name === pin.name) {
      throw HOST_EXISTS(pin.name)
    }
  }
  const row = {
    role: pin.role,
    address: wanted.address,
    identity: JSON.stringify(pin),
    created_at: clock.now(),
    joined_at: wanted.joinedAt ?? null,
    guardian,
    ...NEVER_MET,
  }
  // In its place and not deleted before: with the row the secrets of the host would go.
  return isThere
    ? await db
        .updateTable('hosts')
        .set(row)
        .where('name', '=', pin.name)
        .returningAll()
        .executeTakeFirstOrThrow()
    : await db
        .insertInto('hosts')
        .values({ name: pin.name, ...row })
        .returningAll()
        .executeTakeFirstOrThrow()
}

/** What is known of a machine only from having met it. */
const NEVER_MET = {
  ...{ observed_at: null, unseen: null, engines: null, systems_unseen: null, cluster: null },
  ...{ connected_at: null, warned_days: null, successor: null, manager_key: null, revoked_at: null },
} as const

/** It has a pin, but was never reached: whether it has pinned this manager is not known. */
function isHalfEnrolled({ joined_at: joined, connected_at: connected }: Selectable<HostTable>): boolean {
  return joined !== null && connected === null
}

/**
 * Stops dialling a host and forgets what was pinned of it. HOST_IN_USE while apps, repositories or organisations name
 * it. `revoke`: its key is never accepted again, and a host that is named stays in the list as one that is shut out:
 * whoever has broken into it must not go on because of what runs there.
 */
export async function deleteHost(
  parts: ManagerParts,
  name: string,
  { revoke = false }: { readonly revoke?: boolean } = {},
): Promise<void> {
  await inTransaction(parts.db, async db => {
    const apps = await db.selectFrom('apps').select('name').where('host', '=', name).execute()
    const repositories = await db.selectFrom('repositories').select('name').where('host', '=', name).execute()
    const organisations = await db
      .selectFrom('organisations')
      .select('name')
      .where('host', '=', name)
      .execute()
    const guarded = await db.selectFrom('hosts').select('name').where('guardian', '=', name).execute()
    const users = [...apps, ...repositories, ...organisations, ...guarded]
    if (revoke) {
      await revokeKeys({ db, clock: parts.clock }, name)
    }
    if (users.length > 0 && revoke) {
      return
    }
    if (users.length > 0) {
      throw HOST_IN_USE(
        name,
        users.map(user => user.name),
      )
    }
    const row = await db.deleteFrom('hosts').where('name', '=', name).returningAll().executeTakeFirst()
    if (!row) {
      throw HOST_NOT_FOUND(name)
    }
  })
  await parts.agents.refresh()
  parts.events.publish('host', { name, state: revoke ? 'revoked' : 'removed' })
}

/** Also the next key, if it was just about to get one. */
async function revokeKeys(
  { db, clock }: { readonly db: Kysely<Tables>; readonly clock: Clock },
  name: string,
): Promise<void> {
  const row = await db.selectFrom('hosts').selectAll().where('name', '=', name).executeTakeFirst()
  if (!row) {
    throw HOST_NOT_FOUND(name)
  }
  const now = clock.now()
  for (const pin of [row.identity, row.successor ?? []].flat()) {
    await db
      .insertInto('revoked_keys')
      .values({ key_id: keyIdIn({ identity: pin }), name, revoked_at: now })
      .onConflict(same => same.doNothing())
      .execute()
  }
  const shut = { revoked_at: row.revoked_at ?? now, successor: null }
  await db.updateTable('hosts').set(shut).where('name', '=', name).execute()
}

function keyIdIn({ identity }: Pick<HostTable, 'identity'>): string {
  return (JSON.parse(identity) as { keyId: string }).keyId
}

function fromRow(row: Selectable<HostTable>): HostRecord {
  const engines = JSON.parse(row.engines ?? '[]') as SeenEngine[]
  return {
    name: row.name,
    role: row.role,
    address: row.address,
    keyId: keyIdIn(row),
    createdAt: row.created_at,
    certificateEndsAt: certificateEnd(row),
    engines,
    guardian: row.guardian,
  }
}
