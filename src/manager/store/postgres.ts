import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  type QueryResult,
} from 'kysely'
import type { PostgresAddress } from './postgres-address.ts'
import { SameMeaningCompiler } from './postgres-compiler.ts'
import { type Line, PostgresSession } from './postgres-session.ts'
import { SOON_MARK } from './soon.ts'

/**
 * PostgreSQL for Kysely, over one connection that all share in turn, as SQLite's is: what one statement may see of
 * others, and which go in between those of a transaction, is the same on both.
 */
export function postgresDialect(address: PostgresAddress, onLost?: () => void): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new OneLineDriver(new PostgresSession(address, onLost)),
    createIntrospector: db => new PostgresIntrospector(db),
    createQueryCompiler: () => new SameMeaningCompiler(),
  }
}

class OneLineDriver implements Driver {
  readonly #session: PostgresSession
  #last: Promise<void> = Promise.resolve()

  constructor(session: PostgresSession) {
    this.#session = session
  }

  async init(): Promise<void> {
    // The first statement connects.
  }

  async acquireConnection(): Promise<Turn> {
    const before = this.#last
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = promise
    await before
    try {
      return new Turn(await this.#session.line(), resolve)
    } catch (error) {
      resolve()
      throw error
    }
  }

  async beginTransaction(turn: Turn): Promise<void> {
    await turn.begin()
  }

  async commitTransaction(turn: Turn): Promise<void> {
    await turn.commit()
  }

  async rollbackTransaction(turn: Turn): Promise<void> {
    await turn.rollBack()
  }

  async releaseConnection(turn: Turn): Promise<void> {
    turn.end()
  }

  async destroy(): Promise<void> {
    await this.#session.close()
  }
}

/** The connection while it is somebody's. */
class Turn implements DatabaseConnection {
  readonly end: () => void
  readonly #line: Line
  #inTransaction = false

  constructor(line: Line, end: () => void) {
    this.#line = line
    this.end = end
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const isSoon = sql.endsWith(SOON_MARK)
    const { command, rowCount, rows } = await this.#line.query(
      isSoon && !this.#inTransaction ? sql.replace(SOON_MARK, DOES_NOT_WAIT) : sql,
      parameters,
    )
    return {
      rows: isSoon ? [] : rows,
      ...(CHANGES.has(command) ? { numAffectedRows: BigInt(rowCount ?? 0) } : {}),
    }
  }

  // biome-ignore lint/correctness/useYield: there is nothing to give.
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('nothing is read from PostgreSQL in a stream')
  }

  async begin(): Promise<void> {
    await this.#line.query('begin')
    this.#inTransaction = true
  }

  /** PostgreSQL answers to the commit of a transaction in which a statement failed that it has undone it. */
  async commit(): Promise<void> {
    const { command } = await this.#line.query('commit')
    if (command !== 'COMMIT') {
      throw new Error('the transaction was undone, because a statement in it had failed')
    }
  }

  /** What was begun over a connection that was lost is undone: the error that says so is not hidden by another. */
  async rollBack(): Promise<void> {
    if (this.#line.isOpen) {
      await this.#line.query('rollback')
    }
  }
}

/** The commit of this statement alone does not wait for the disk; it is there with the next one that does. */
const DOES_NOT_WAIT = "returning set_config('synchronous_commit', 'off', true)"
const CHANGES = new Set(['INSERT', 'UPDATE', 'DELETE'])
