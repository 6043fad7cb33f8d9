import type { Kysely, Selectable } from 'kysely'
import type { SeenEngine } from '#contract/engine.ts'
import type { NewHost } from '#contract/rest/hosts.ts'
import { pinOf } from '#link/public-identity.ts'
import { HOST_NOT_FOUND } from '#manager/agents/errors.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { isConstraintViolation } from '#manager/store/store-error.ts'
import type { HostTable, Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { HOST_EXISTS, HOST_IN_USE, NOT_A_HOST } from './errors.ts'

export interface HostRecord {
  readonly name: string
  readonly role: HostTable['role']
  readonly address: string
  readonly keyId: string
  readonly createdAt: number
  /** As its worker told of them last. */
  readonly engines: readonly SeenEngine[]
}

export async function listHosts(db: Kysely<Tables>): Promise<HostRecord[]> {
  const rows = await db.selectFrom('hosts').selectAll().orderBy('name').execute()
  return rows.map(fromRow)
}

/** Pins the host's public identity and starts to dial it. */
export async function addHost(parts: ManagerParts, wanted: NewHost): Promise<HostRecord> {
  const pin = pinOf(wanted.identity, 'The identity of the host')
  if (pin.role === 'manager') {
    throw NOT_A_HOST(pin.name)
  }
  const row = {
    name: pin.name,
    role: pin.role,
    address: wanted.address,
    identity: JSON.stringify(pin),
    created_at: parts.clock.now(),
    observed_at: null,
    unseen: null,
    engines: null,
  }
  try {
    await parts.db.insertInto('hosts').values(row).execute()
  } catch (error) {
    throw isConstraintViolation(error) ? HOST_EXISTS(pin.name) : error
  }
  await parts.agents.refresh()
  parts.events.publish('host', { name: row.name, state: 'added' })
  return fromRow(row)
}

/** Stops dialling a host and forgets what was pinned of it. HOST_IN_USE while apps, repositories or organisations name it. */
export async function deleteHost(parts: ManagerParts, name: string): Promise<void> {
  await inTransaction(parts.db, async db => {
    const apps = await db.selectFrom('apps').select('name').where('host', '=', name).execute()
    const repositories = await db.selectFrom('repositories').select('name').where('host', '=', name).execute()
    const organisations = await db
      .selectFrom('organisations')
      .select('name')
      .where('host', '=', name)
      .execute()
    const users = [...apps, ...repositories, ...organisations]
    if (users.length > 0) {
      throw HOST_IN_USE(
        name,
        users.map(user => user.name),
      )
    }
    const result = await db.deleteFrom('hosts').where('name', '=', name).executeTakeFirst()
    if (result.numDeletedRows === 0n) {
      throw HOST_NOT_FOUND(name)
    }
  })
  await parts.agents.refresh()
  parts.events.publish('host', { name, state: 'removed' })
}

function fromRow(row: Selectable<HostTable>): HostRecord {
  const { keyId } = JSON.parse(row.identity) as { keyId: string }
  const engines = JSON.parse(row.engines ?? '[]') as SeenEngine[]
  return { name: row.name, role: row.role, address: row.address, keyId, createdAt: row.created_at, engines }
}
