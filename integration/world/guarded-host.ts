import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { init, trust } from '#agent/enrol.ts'
import { type BackgroundProcess, startProcess } from '#cli/demo/background-process.ts'
import { ensureBaseImage } from '#cli/demo/base-image.ts'
import { programOf } from '#cli/part-program.ts'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import type { PublicIdentity } from '#link/public-identity.ts'
import { command, mustRun } from './command.ts'
import type { Question, Watched } from './network-probe.ts'
import { type SecondEngine, startSecondEngine } from './second-engine.ts'
import { temporaryFolder } from './temporary-folder.ts'

const AT = { folder: '/' }
const PROBE = join(import.meta.dirname, 'network-probe.ts')
const GUARDIAN_PORT = 7444
/** Only these two namespaces know them. */
const ADDRESSES = { 4: '192.0.2.1', 6: 'fd00:192::1' } as const
const OPEN_WITHIN_MS = 30_000
const CLOSED_AFTER_MS = 1_500

/** A machine with a Docker engine and a guardian, and a peer on a cable of its own. Both are network namespaces. */
export interface GuardedHost {
  readonly engine: SecondEngine
  readonly identity: PublicIdentity
  /** Where a manager reaches the guardian. */
  readonly address: string
  /** Of the guardian; from all of its lives. */
  log(): Promise<string>
  start(): Promise<void>
  /** SIGKILL, as a crash: nothing of it gets to tidy up. */
  kill(): Promise<void>
  /** Echoes at a TCP and a UDP port; in the host itself, or in the network of a container. */
  echo(ports: readonly number[], container?: string): Promise<void>
  /** Whether the peer gets an answer, by `tcp4 8080`: waits long for one that is expected, and not for the others. */
  reached(expected: Readonly<Record<string, boolean>>): Promise<Record<string, boolean>>
  /** The peer keeps a connection and makes new ones until it is closed; see Watched. */
  watch(
    ports: Record<'kept' | 'open' | 'closedTcp' | 'closedUdp', number>,
  ): AsyncDisposable & { look(): Promise<Watched> }
  /** A program in the network of the host; gives what it prints. */
  run(program: string, ...args: string[]): Promise<string>
  /** The rules of everybody but the guardian, without counters. */
  foreignRules(): Promise<string>
}

/** Needs root. Nothing of it stays. */
export async function startGuardedHost(
  stack: AsyncDisposableStack,
  { manager, bounds }: { readonly manager: PublicIdentity; readonly bounds: string },
): Promise<GuardedHost> {
  const folder = await temporaryFolder(stack)
  const engine = await startSecondEngine(stack)
  await ensureBaseImage({ name: 'base:1', socketPath: engine.socket })
  const peer = await plugInPeer(stack, engine.namespace)
  const data = join(folder, 'guardian')
  const boundsFile = join(folder, 'bounds.yaml')
  await writeFile(boundsFile, bounds, { mode: 0o644 })
  const identity = init({ data, name: 'box-guardian' }, { role: 'guardian', clock: systemClock })
  await writeFile(join(folder, 'manager.json'), JSON.stringify(manager))
  trust({ data, name: identity.name }, join(folder, 'manager.json'))
  const inside = [`--net=${engine.namespace}`]
  const asker = ask(stack, peer)
  const logFile = join(folder, 'guardian.log')
  const env = {
    FAIRLEAD_DATA: folder,
    FAIRLEAD_GUARDIAN_LISTEN: `${engine.ip}:${GUARDIAN_PORT}`,
    FAIRLEAD_GUARDIAN_BOUNDS: boundsFile,
    FAIRLEAD_GUARDIAN_LOOK_SECONDS: '1',
  }
  let running: BackgroundProcess | undefined
  stack.defer(async () => await running?.close())
  const run = (program: string, ...args: string[]) => mustRun('nsenter', [...inside, program, ...args], AT)
  return {
    ...{ engine, identity, run, address: `${engine.ip}:${GUARDIAN_PORT}` },
    log: () => readFile(logFile, 'utf8'),
    async start() {
      const from = (await stat(logFile).catch(() => undefined))?.size ?? 0
      running = await startProcess({
        program: 'nsenter',
        args: [...inside, process.execPath, programOf('guardian')],
        readyWithinMs: 60_000,
        ...{ folder, logFile, env },
        ready: async () => (await readFile(logFile)).subarray(from).includes('"event":"guardian.listening"'),
      })
    },
    async kill() {
      if (running) {
        process.kill(running.pid, 'SIGKILL')
        await running.ended
      }
    },
    async echo(ports, container) {
      const path =
        container === undefined ? engine.namespace : `/proc/${await pidOf(engine, container)}/ns/net`
      const child = spawn('nsenter', [`--net=${path}`, process.execPath, PROBE, 'echo', ...ports.map(String)])
      stack.defer(() => end(child))
      await once(child.stdout, 'data')
    },
    reached: async expected =>
      Object.fromEntries(
        await Promise.all(
          Object.entries(expected).map(async ([what, isExpected]) => [
            what,
            await asker(what, isExpected ? OPEN_WITHIN_MS : CLOSED_AFTER_MS),
          ]),
        ),
      ),
    watch({ kept, open, closedTcp, closedUdp }) {
      const ports = [kept, open, closedTcp, closedUdp].map(String)
      const { child, write, lines: printed } = probe(stack, peer, 'watch', ADDRESSES[4], ...ports)
      const lines = printed[Symbol.asyncIterator]()
      return {
        async look() {
          write('')
          return JSON.parse(String((await lines.next()).value)) as Watched
        },
        [Symbol.asyncDispose]: () => end(child),
      }
    },
    async foreignRules() {
      const rules = await run('nft', '-s', 'list', 'ruleset')
      return rules.replace(/^table inet fairlead \{\n[\s\S]*?\n\}\n/m, '')
    },
  }
}

async function pidOf(engine: SecondEngine, container: string): Promise<string> {
  return (await engine.docker('inspect', '--format', '{{.State.Pid}}', container)).trim()
}

/** A network namespace with a cable to the host, and routes to the containers behind it. */
async function plugInPeer(stack: AsyncDisposableStack, host: string): Promise<string> {
  const id = newId().slice(-8)
  const [peer, near, far] = [`flp${id}`, `fla${id}`, `flb${id}`]
  await mustRun('ip', ['netns', 'add', peer], AT)
  stack.defer(async () => void (await command('ip', ['netns', 'delete', peer], AT)))
  const name = host.split('/').at(-1) ?? ''
  const cable = ['type', 'veth', 'peer', 'name', near, 'netns', name]
  await mustRun('ip', ['-n', peer, 'link', 'add', far, ...cable], AT)
  for (const [space, link, end] of [
    [name, near, 1],
    [peer, far, 2],
  ] as const) {
    for (const words of [
      ['address', 'add', `192.0.2.${end}/24`, 'dev', link],
      ['address', 'add', `fd00:192::${end}/64`, 'dev', link, 'nodad'],
      ['link', 'set', 'lo', 'up'],
      ['link', 'set', link, 'up'],
    ]) {
      await mustRun('ip', ['-n', space, ...words], AT)
    }
  }
  await mustRun('ip', ['-n', peer, 'route', 'add', 'default', 'via', ADDRESSES[4]], AT)
  return peer
}

type Ask = (what: string, withinMs: number) => Promise<boolean>

/** `tcp4 80` at the host, or `tcp 172.17.0.2:80` elsewhere. */
function ask(stack: AsyncDisposableStack, peer: string): Ask {
  const { write, lines } = probe(stack, peer, 'ask')
  const waiting = new Map<number, (answered: boolean) => void>()
  lines.on('line', line => {
    const { id, answered } = JSON.parse(line) as { id: number; answered: boolean }
    waiting.get(id)?.(answered)
    waiting.delete(id)
  })
  let last = 0
  return async (what, withinMs) => {
    const [, protocol, family, place = ''] = /^(tcp|udp)([46])? (.+)$/.exec(what) ?? []
    const [port = '', address = ADDRESSES[family === '6' ? 6 : 4]] = place.split(':').reverse()
    last += 1
    const question = { id: last, protocol, address, port: Number(port), withinMs } as Question
    return await new Promise(resolve => {
      waiting.set(question.id, resolve)
      write(JSON.stringify(question))
    })
  }
}

function probe(stack: AsyncDisposableStack, peer: string, ...words: readonly string[]) {
  const child = spawn('nsenter', [`--net=/run/netns/${peer}`, process.execPath, PROBE, ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  stack.defer(() => end(child))
  return {
    child,
    write: (line: string) => void child.stdin.write(`${line}\n`),
    lines: createInterface({ input: child.stdout }),
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}
