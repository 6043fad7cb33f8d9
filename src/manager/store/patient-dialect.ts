import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  SqliteDialect,
  type TransactionSettings,
} from 'kysely'
import { STORE_LOCKED } from './errors.ts'

/** Longest wait for another program that holds the database locked; then STORE_LOCKED. */
const PATIENCE_MS = 3000
const PAUSE_MS = 50

/** SQLite, but a statement that finds the database locked waits without stopping the rest of the process. */
export class PatientDialect extends SqliteDialect {
  override createDriver(): Driver {
    return new PatientDriver(super.createDriver())
  }
}

class PatientDriver implements Driver {
  readonly #driver: Driver

  constructor(driver: Driver) {
    this.#driver = driver
  }

  init(): Promise<void> {
    return this.#driver.init()
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await this.#driver.acquireConnection()
    return {
      executeQuery: query => patiently(() => connection.executeQuery(query)),
      streamQuery: (query: CompiledQuery, size: number) => connection.streamQuery(query, size),
    }
  }

  beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    return this.#driver.beginTransaction(connection, settings)
  }

  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#driver.commitTransaction(connection)
  }

  rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#driver.rollbackTransaction(connection)
  }

  releaseConnection(connection: DatabaseConnection): Promise<void> {
    return this.#driver.releaseConnection(connection)
  }

  destroy(): Promise<void> {
    return this.#driver.destroy()
  }
}

async function patiently<T>(work: () => Promise<QueryResult<T>>): Promise<QueryResult<T>> {
  for (let waited = 0; ; waited += PAUSE_MS) {
    try {
      return await work()
    } catch (error) {
      if (!STORE_LOCKED.matches(error) || waited >= PATIENCE_MS) {
        throw error
      }
      await sleep(PAUSE_MS)
    }
  }
}
