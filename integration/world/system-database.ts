import { join, relative } from 'node:path'
import { newTestDatabase, TEST_SERVER } from '#manager/store/test-database.ts'

/** Of scripts/integration-tests.ts: those that use the server. */
const FILES = process.env.FAIRLEAD_TEST_DATABASE_FILES?.split('\n')
const FILE = relative(join(import.meta.dirname, '../..'), process.argv[1] ?? '')
const SERVER = FILES === undefined || FILES.includes(FILE) ? TEST_SERVER : undefined

/** Where the manager of a test has its store, as settings: a new database of the server that all tests share, or nothing. */
export async function settingsOfStore(): Promise<Readonly<Record<string, string>>> {
  if (SERVER === undefined) {
    return {}
  }
  const { database } = await newTestDatabase(SERVER)
  return { FAIRLEAD_DATABASE_URL: SERVER.replace(/^([^?]*\/)[^/?]*/, `$1${database}`) }
}
