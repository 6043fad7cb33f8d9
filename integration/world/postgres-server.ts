import { existsSync } from 'node:fs'
import { chown, glob, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startProcess } from '#cli/demo/background-process.ts'
import { command, mustRun } from './command.ts'

export interface PostgresServer {
  /** Of a database that is there, by a user who may make others. */
  readonly url: string
  /** With its socket. */
  readonly folder: string
  readonly pid: number
  /** SIGKILL to all its processes, as when its machine stops. */
  kill(): Promise<void>
  start(): Promise<void>
}

/** Where Debian's package has it. */
const [PROGRAMS] = (await Array.fromAsync(glob('/usr/lib/postgresql/*/bin'))).sort().reverse()
/** For a test that needs a server: why it is left out, or false. */
export const WITHOUT_POSTGRES =
  PROGRAMS === undefined && 'there is no PostgreSQL here: scripts/setup --postgres brings it'

/** A server of its own, on a socket in a folder of its own in memory; it is not as careful as one that has to keep something. */
export async function startPostgresServer(stack: AsyncDisposableStack): Promise<PostgresServer> {
  const programs = PROGRAMS ?? ''
  const folder = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'fairlead-pg-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const data = join(folder, 'data')
  // It refuses to run as root.
  const isRoot = process.getuid?.() === 0
  if (isRoot) {
    await chown(folder, NOBODY, NOBODY)
  }
  const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
  const call = (program: string, args: readonly string[]) => {
    const [first = '', ...others] = [...(isRoot ? asNobody : []), join(programs, program), ...args]
    return { program: first, args: others }
  }
  const init = call('initdb', [
    '-D',
    data,
    '-U',
    'fairlead',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
    '-N',
  ])
  await mustRun(init.program, init.args, { folder })
  const start = () =>
    startProcess({
      ...call('postgres', ['-D', data, '-k', folder, '-c', 'listen_addresses=', ...SETTINGS]),
      folder,
      logFile: join(folder, 'log'),
      ready: async () => (await command(join(programs, 'pg_isready'), ['-h', folder], { folder })).code === 0,
    })
  let running = await start()
  stack.defer(() => running.close())
  return {
    url: `postgres://fairlead@/postgres?host=${folder}`,
    folder,
    get pid() {
      return running.pid
    },
    async kill() {
      process.kill(-running.pid, 'SIGKILL')
      await running.ended
    },
    async start() {
      running = await start()
    },
  }
}

const NOBODY = 65_534
const SETTINGS = ['fsync=off', 'full_page_writes=off', 'shared_buffers=64MB', 'max_connections=60'].flatMap(
  setting => ['-c', setting],
)
