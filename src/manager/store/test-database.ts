import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import { Client } from 'pg'
import { Secret } from '#lib/secret.ts'
import { openStore, type Store } from './database.ts'
import { MIGRATIONS } from './migrations/index.ts'
import { type PostgresAddress, parsePostgresUrl } from './postgres-address.ts'

/** URL of a database of a PostgreSQL server whose user may make others: tests run on it instead of on SQLite. */
const SERVER = process.env.FAIRLEAD_TEST_DATABASE
export const TEST_SERVER = SERVER

/** For tests of what only a file can do, or does in a way of its own: why they are left out, or false. */
export const NOT_IN_A_FILE = SERVER !== undefined && 'these stores are in PostgreSQL'

/** Names the database of a folder, so that it is found again by whoever opens the folder again. */
const NAME_FILE = 'test-database'

/** The store of a test: a file in the folder, or a database of its own where tests run on PostgreSQL. */
export async function openTestDatabase(folder: string, now: () => number): Promise<Store> {
  if (SERVER === undefined) {
    return await openStore(folder, now)
  }
  countStatements()
  return await openStore(folder, now, await databaseOf(folder))
}

/** What no program of ours does: removes what keeps lines of a table from being changed. */
export async function dropTrigger(
  db: Store['db'],
  { trigger, table }: { readonly trigger: string; readonly table: string },
): Promise<void> {
  await sql.raw(`drop trigger ${trigger}${SERVER === undefined ? '' : ` on ${table}`}`).execute(db)
}

/** From now on rows may name others that there are not. */
export async function ignoreReferences(db: Store['db']): Promise<void> {
  const off = SERVER === undefined ? 'pragma foreign_keys = off' : 'set session_replication_role = replica'
  await sql.raw(off).execute(db)
}

/** For tests that wait for nothing in particular: what has been asked of the stores is answered, and was heard of. */
export async function storeTurn(): Promise<void> {
  do {
    await nextTurn()
  } while (unanswered > 0)
}

/** Statements of all stores in a server, also those that begin and end transactions. */
let unanswered = 0
let isCounted = false

function countStatements(): void {
  if (isCounted) {
    return
  }
  isCounted = true
  const ask = Client.prototype.query as (...words: unknown[]) => Promise<unknown>
  Client.prototype.query = async function counted(this: Client, ...words: unknown[]) {
    unanswered += 1
    try {
      return await ask.apply(this, words)
    } finally {
      unanswered -= 1
    }
  } as typeof Client.prototype.query
}

/** Databases that nobody uses any more: to empty one takes a fraction of the time of making another. */
const free: string[] = []

/** Lets go of what openTestDatabase has made outside of the folder, once the store is closed. */
export function leaveTestDatabase(folder: string): void {
  const file = join(folder, NAME_FILE)
  if (SERVER !== undefined && existsSync(file)) {
    free.push(readFileSync(file, 'utf8'))
    rmSync(file)
  }
}

/** A new database of a server: a copy of another one, or an empty one. */
export async function newTestDatabase(url: string, from?: PostgresAddress): Promise<PostgresAddress> {
  const name = newName()
  await ask(addressOf(url), `create database ${name} template ${from?.database ?? 'template0'}`)
  return addressOf(url, name)
}

let made: Promise<string> | undefined

async function databaseOf(folder: string): Promise<PostgresAddress> {
  const url = SERVER ?? ''
  const file = join(folder, NAME_FILE)
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, await takeDatabase(url))
  }
  return addressOf(url, readFileSync(file, 'utf8'))
}

async function takeDatabase(url: string): Promise<string> {
  const used = free.pop()
  if (used !== undefined) {
    await ask(addressOf(url, used), EMPTY)
    return used
  }
  made ??= makeTemplate(url)
  return (await newTestDatabase(url, addressOf(url, await made))).database
}

/** Without triggers and references, and from the first number of each list again. */
const EMPTY = `set session_replication_role = replica;
  do $$ declare each record; begin
    for each in select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'migrations' loop
      execute format('delete from %I', each.name);
    end loop;
    for each in select sequencename as name from pg_sequences where schemaname = 'public' loop
      execute format('alter sequence %I restart', each.name);
    end loop;
  end $$`

/** Migrated once, whichever process is the first: a copy of it takes a fraction of the time. */
async function makeTemplate(url: string): Promise<string> {
  const hash = createHash('sha256').update(MIGRATIONS.map(({ name, up }) => `${name}${up}`).join('\n'))
  const name = `template_${hash.digest('hex').slice(0, 16)}`
  const admin = new Client(clientOptions(addressOf(url)))
  await admin.connect()
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-template-'))
  try {
    await admin.query('select pg_advisory_lock(1)')
    const { rows } = await admin.query('select 1 from pg_database where datname = $1', [name])
    if (rows.length === 0) {
      const address = await newTestDatabase(url)
      const store = await openStore(folder, () => 1, address)
      await store.close()
      await admin.query(`alter database ${address.database} rename to ${name}`)
    }
    return name
  } finally {
    await admin.end()
    rmSync(folder, { recursive: true })
  }
}

async function ask(address: PostgresAddress, statement: string): Promise<void> {
  const client = new Client(clientOptions(address))
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

function clientOptions({ host, port, user, database, password }: PostgresAddress) {
  return { host, port, user, database, password: password?.reveal() ?? '' }
}

export function addressOf(url: string, database?: string): PostgresAddress {
  const place = parsePostgresUrl(url)
  if (!place) {
    throw new Error(`${url} is no URL of a PostgreSQL database`)
  }
  const password = place.password === undefined ? undefined : new Secret(place.password)
  return { ...place, password, ca: undefined, ...(database === undefined ? {} : { database }) }
}

let count = 0

function newName(): string {
  count += 1
  return `test_${process.pid}_${count}_${Math.trunc(Math.random() * 1e6)}`
}
