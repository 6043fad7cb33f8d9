import { setTimeout as sleep } from 'node:timers/promises'
import { Client, type QueryResult } from 'pg'
import { STORE_IN_USE, STORE_UNAVAILABLE } from './errors.ts'
import { type PostgresAddress, placeOf } from './postgres-address.ts'
import { endsConnection, postgresError, sqlState } from './postgres-error.ts'

/** Longest wait for a server that restarts, or for another manager that ends. */
const PATIENCE_MS = 3000
const PAUSE_MS = 100
/** For so long nobody waits for a server again that was waited for in vain. */
const REST_MS = 1000
/** A server that has not answered for so long is gone. */
const ANSWER_MS = 60_000
/** More than the program has; only statements with varying lists (`in (…)`) could reach it. */
const MAX_STATEMENTS = 500
/** "FLED" and 1: among the locks of the database the one of managers. */
const LOCK = 0x464c4544
/** Which process of the server serves who holds it, as a condition on pg_locks. */
export const HOLDS_LOCK = `locktype = 'advisory' and classid = ${LOCK} and objid = 1 and objsubid = 2 and granted
and database = (select oid from pg_database where datname = current_database())`

/** After so long the server lets go of a connection that was cut: its keepalives (4 s, then 3 times 3 s) and what it sent. */
export const LETS_GO_MS = 13_000

/**
 * Every statement goes through the one connection that holds the lock of managers: whoever has lost the lock has lost
 * the connection, and writes nothing any more. When the network is cut the server gives the lock back after 13 s: a
 * leader has ended by itself before (leadership/lead.ts).
 */
const SETUP = `select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off';
set lock_timeout = ${PATIENCE_MS}; set tcp_keepalives_idle = 4; set tcp_keepalives_interval = 3;
set tcp_keepalives_count = 3; set tcp_user_timeout = ${LETS_GO_MS}; set client_min_messages = warning;
select pg_try_advisory_lock(${LOCK}, 1) as ours`

/** A connection that lives until an error ends it. */
export class Line {
  readonly #client: Client
  readonly #place: string
  readonly #names = new Map<string, string>()
  #last: Promise<unknown> = Promise.resolve()
  #isOpen = true
  /** Called once, when an error has ended it. */
  onLost: (() => void) | undefined

  constructor(client: Client, place: string) {
    this.#client = client
    this.#place = place
    client.on('error', () => this.#lose())
    client.on('end', () => this.#lose())
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** One after the other, in the order in which they are asked. */
  query(text: string, values: readonly unknown[] = []): Promise<QueryResult> {
    const answer = this.#last.then(() => this.#ask(text, values))
    this.#last = answer.catch(() => undefined)
    return answer
  }

  async close(): Promise<void> {
    this.#isOpen = false
    await this.#client.end()
  }

  async #ask(text: string, values: readonly unknown[]): Promise<QueryResult> {
    try {
      return await this.#client.query({ text, values: [...values], ...this.#nameOf(text, values) })
    } catch (error) {
      // Without a state it is no answer of the server: the way to it is broken, or it did not answer in time.
      if (sqlState(error) === undefined || endsConnection(error)) {
        this.#lose()
        throw STORE_UNAVAILABLE(reasonOf(error)).with({ cause: error })
      }
      throw postgresError(error, this.#place)
    }
  }

  /** Statements with a name are parsed and planned by the server once. */
  #nameOf(text: string, values: readonly unknown[]): { readonly name?: string } {
    if (values.length === 0) {
      return {}
    }
    const known = this.#names.get(text)
    if (known !== undefined || this.#names.size >= MAX_STATEMENTS) {
      return known === undefined ? {} : { name: known }
    }
    const name = `s${this.#names.size}`
    this.#names.set(text, name)
    return { name }
  }

  #lose(): void {
    if (this.#isOpen) {
      this.#isOpen = false
      this.#client.end().catch(() => undefined)
      this.onLost?.()
    }
  }
}

/** Makes the connection again when it was lost; with `onLost` it says so instead, and is of no more use. */
export class PostgresSession {
  readonly #address: PostgresAddress
  readonly #onLost: (() => void) | undefined
  #line: Line | undefined
  #down: unknown
  #isClosed = false

  constructor(address: PostgresAddress, onLost?: () => void) {
    this.#address = address
    this.#onLost = onLost
  }

  /** Asked for by one at a time. */
  async line(): Promise<Line> {
    if (this.#line?.isOpen) {
      return this.#line
    }
    if (this.#down !== undefined) {
      throw this.#down
    }
    if (this.#line && this.#onLost) {
      throw STORE_UNAVAILABLE('the connection was lost, and another manager may lead by now')
    }
    try {
      this.#line = await this.#connectPatiently()
      this.#line.onLost = this.#onLost
      return this.#line
    } catch (error) {
      this.#down = error
      void sleep(REST_MS, undefined, { ref: false }).then(() => {
        this.#down = undefined
      })
      throw error
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#line?.close()
  }

  async #connectPatiently(): Promise<Line> {
    for (let waited = 0; ; waited += PAUSE_MS) {
      try {
        return await this.#connect()
      } catch (error) {
        const mayPass = STORE_UNAVAILABLE.matches(error) || STORE_IN_USE.matches(error)
        if (!mayPass || this.#isClosed || waited >= PATIENCE_MS) {
          throw error
        }
        await sleep(PAUSE_MS)
      }
    }
  }

  async #connect(): Promise<Line> {
    const line = await connect(this.#address)
    const answers = (await line.query(SETUP)) as unknown as readonly QueryResult<{ ours: number }>[]
    if (answers.at(-1)?.rows[0]?.ours !== 1) {
      await line.close()
      throw STORE_IN_USE(placeOf(this.#address))
    }
    return line
  }
}

/** A connection without the lock. */
export async function connect(address: PostgresAddress): Promise<Line> {
  const { host, port, user, database, password, tls, ca } = address
  const client = new Client({
    ...{ host, port, user, database, password: password?.reveal() ?? '' },
    ssl: tls && { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
    application_name: 'fairlead',
    keepAlive: true,
    connectionTimeoutMillis: PATIENCE_MS,
    query_timeout: ANSWER_MS,
    types: { getTypeParser: parserOf },
  })
  const line = new Line(client, placeOf(address))
  try {
    await client.connect()
    return line
  } catch (error) {
    const meant = postgresError(error, placeOf(address))
    throw meant === error ? STORE_UNAVAILABLE(reasonOf(error)).with({ cause: error }) : meant
  }
}

/** Numbers and truths as SQLite gives them. */
function parserOf(type: number): (text: string) => unknown {
  return PARSERS[type] ?? String
}

const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  16: text => (text === 't' ? 1 : 0),
  20: Number,
  21: Number,
  23: Number,
  700: Number,
  701: Number,
  1700: Number,
}

function reasonOf(error: unknown): string {
  // Of several addresses of a name each has failed.
  const [first] = error instanceof AggregateError ? error.errors : []
  return first instanceof Error ? first.message : error instanceof Error ? error.message : String(error)
}
