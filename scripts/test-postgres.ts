/**
 * Runs the unit tests of the manager with their stores in PostgreSQL instead of SQLite, on a server that it starts and
 * ends: `node scripts/test-postgres.ts [patterns]`.
 * FAIRLEAD_TEST_DATABASE names another server, on which the user may make databases; they are left there.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startPostgresServer, WITHOUT_POSTGRES } from '#world/postgres-server.ts'

const ROOT = join(import.meta.dirname, '..')
/** They copy the data folder after any statement, in a time of their own: that is possible only with a file. */
const IN_A_FILE = ['simulation']
await using stack = new AsyncDisposableStack()
const url = process.env.FAIRLEAD_TEST_DATABASE ?? (await ownServer())
const chosen = process.argv.slice(2)
const folders = (await readdir(join(ROOT, 'src/manager'))).filter(name => !/\./.test(name))
const patterns = folders
  .filter(name => !IN_A_FILE.includes(name))
  .map(name => `src/manager/${name}/**/*.test.ts`)
const tests = spawn(
  process.execPath,
  [
    join(ROOT, 'scripts/unit-tests.ts'),
    ...(chosen.length > 0 ? chosen : ['src/manager/*.test.ts', ...patterns]),
  ],
  { stdio: 'inherit', env: { ...process.env, FAIRLEAD_TEST_DATABASE: url } },
)
const [code] = await once(tests, 'close')
process.exitCode = code ?? 1

async function ownServer(): Promise<string> {
  if (WITHOUT_POSTGRES) {
    throw new Error(WITHOUT_POSTGRES)
  }
  return (await startPostgresServer(stack)).url
}
