import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '#cli/demo/free-port.ts'
import { askPart, startPart, writePrivateFile } from '#cli/parts.ts'
import type { BackupRequest } from '#contract/backup.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { loadIdentity } from '#link/identity.ts'
import { pinOf } from '#link/public-identity.ts'
import { AgentConnection } from '#manager/agents/connection.ts'
import { type PartProcess, partProcess } from './part-process.ts'

/** One of several managers on a database. */
export interface OneOfSeveral {
  readonly name: string
  readonly url: string
  /** Data folder of its machine. */
  readonly folder: string
  readonly part: PartProcess
}

export interface SeveralOptions {
  readonly name: string
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  /** Which has the keys; none: it makes its own. */
  readonly keysFrom?: string
  /** It has these variables too when it is started again. */
  readonly later?: Readonly<Record<string, string>>
}

const PASSPHRASE = 'four words of a test'

/** Starts a manager that takes others beside it; when it listens, be it to lead or to stand by. */
export async function startOneOfSeveral(
  stack: AsyncDisposableStack,
  { name, folder, environment, keysFrom, later }: SeveralOptions,
): Promise<OneOfSeveral> {
  await mkdir(folder, { recursive: true })
  if (keysFrom !== undefined) {
    await bringKeys(keysFrom, folder, environment)
  }
  const port = await freePort()
  const part = await startPart({
    name: 'manager',
    data: folder,
    environment: {
      ...environment,
      ...(await peerSettings(name)),
      FAIRLEAD_LISTEN: `127.0.0.1:${port}`,
      FAIRLEAD_ADMIN_TOKEN_FILE: join(folder, 'admin-token'),
    },
  })
  stack.defer(part.close)
  const running = await partProcess(part, later)
  stack.defer(() => running.close())
  return { name, folder, url: `http://127.0.0.1:${port}`, part: running }
}

/** What makes a manager one of several. */
export async function peerSettings(name: string): Promise<Record<string, string>> {
  return { FAIRLEAD_PEER_NAME: name, FAIRLEAD_PEER_LISTEN: `127.0.0.1:${await freePort()}` }
}

/** As "fairlead manager export" and "import" do. */
export async function bringKeys(
  from: string,
  to: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const file = join(to, 'keys.age')
  const ask = async (data: string, request: BackupRequest, written: readonly string[]) => {
    const paths = { read: [to], written }
    const part = { name: 'manager', data, environment, arguments: ['backup'], paths } as const
    const answer = JSON.parse(await askPart(part, JSON.stringify(request))) as { error?: { message: string } }
    if (answer.error) {
      throw new Error(answer.error.message)
    }
  }
  await ask(from, { do: 'export', to: file, passphrase: PASSPHRASE, recipients: [] }, [to])
  await ask(to, { do: 'import', from: file, opening: { passphrase: PASSPHRASE, identities: [] } }, [])
}

export interface WorkerBeside {
  readonly part: PartProcess
  readonly identity: Record<string, unknown>
  readonly address: string
}

/** A worker that trusts the managers of this folder, for what is asked of a host and not of its engine. */
export async function startWorkerBeside(stack: AsyncDisposableStack, folder: string): Promise<WorkerBeside> {
  const address = `127.0.0.1:${await freePort()}`
  const worker = {
    name: 'worker',
    data: folder,
    environment: { FAIRLEAD_WORKER_LISTEN: address, FAIRLEAD_WORKER_NAME: 'box' },
  } as const
  const manager = await askPart({ name: 'manager', data: folder, environment: {}, arguments: ['identity'] })
  const identity = JSON.parse(await askPart({ ...worker, arguments: ['init'] })) as Record<string, unknown>
  const pin = writePrivateFile(join(folder, 'worker'), 'manager-identity.json', manager)
  await askPart({ ...worker, arguments: ['trust', pin] })
  const part = await startPart(worker)
  stack.defer(part.close)
  return { part: await partProcess(part), identity, address }
}

/** Waits as long as it takes within two minutes; gives what was found and after how many ms. `tell`: for who looks why not. */
export async function within<T>(
  what: string,
  look: () => Promise<T | undefined>,
  tell: () => Promise<string> = async () => '',
): Promise<{ readonly found: T; readonly ms: number }> {
  const began = systemClock.monotonic()
  let last: unknown
  while (systemClock.monotonic() - began < 120_000) {
    const found = await look().catch(error => {
      last = error
      return undefined
    })
    if (found !== undefined) {
      return { found, ms: Math.round(systemClock.monotonic() - began) }
    }
    await systemClock.sleep(50)
  }
  throw new Error(`waited in vain for ${what} ${await tell()}`, { cause: last })
}

export async function logOf({ part }: Pick<OneOfSeveral, 'part'>): Promise<string> {
  return await readFile(part.logFile, 'utf8')
}

/** How their logs end. */
export async function lastWords(managers: readonly OneOfSeveral[]): Promise<string> {
  const ends = managers.map(async each => `${each.name}:\n${(await logOf(each)).slice(-2_000)}`)
  return (await Promise.all(ends)).join('\n')
}

/** When they have said this, in the words of their logs. */
export async function timesOf(
  managers: readonly Pick<OneOfSeveral, 'part'>[],
  said: string,
): Promise<readonly string[]> {
  const logs = await Promise.all(managers.map(logOf))
  return logs
    .flatMap(log => log.split('\n'))
    .filter(line => line.includes(`"${said}"`))
    .map(line => (JSON.parse(line) as { time: string }).time)
}

/** What the worker says to a manager that offers an epoch, with the identity of the one with this folder. */
export async function refusalOf(
  { identity, address }: WorkerBeside,
  { managerFolder, epoch }: { readonly managerFolder: string; readonly epoch: number },
): Promise<string> {
  const connection = new AgentConnection({
    address,
    pin: pinOf(identity),
    identity: loadIdentity({ folder: join(managerFolder, 'manager/identity'), clock: systemClock }),
    epoch: () => epoch,
    commands: [],
    clock: systemClock,
    logger: silentLogger,
  })
  try {
    const said = async () => connection.state().lastError?.code
    return (await within('the worker to refuse', said)).found
  } finally {
    await connection.close()
  }
}
