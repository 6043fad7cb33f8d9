import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type BackgroundProcess, startProcess } from '#cli/demo/background-process.ts'
import { partCommandLine } from '#cli/parts.ts'
import { newId } from '#lib/id.ts'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { type CommandResult, command, mustRun } from './command.ts'
import { claimAddresses } from './second-engine.ts'

const AT = { folder: '/' }
const WORKER_PORT = 7443
const GUARDIAN_PORT = 7444
export const FAIRLEAD = join(PACKAGE_ROOT, 'bin/fairlead')

/** A machine as far as the network goes: it shares the kernel, the files and the Docker engine with the others. */
export interface Machine {
  readonly name: string
  readonly ip: string
  /** FAIRLEAD_DATA of its agents. */
  readonly data: string
  /** The command line of Fairlead there, in the shape that a person types it. */
  fairlead(words: readonly string[], data?: string): Promise<CommandResult>
  start(part: 'worker' | 'guardian'): Promise<void>
  /** SIGKILL to its worker. */
  kill(): Promise<void>
  /** Cuts or restores its cable. */
  link(state: 'up' | 'down'): Promise<void>
  /** Its cable carries so little from now on, such as 64kbit; what does not fit waits. */
  slow(rate: string): Promise<void>
  /** A program in its network; gives its process once it has printed something. */
  run(program: string, ...args: string[]): Promise<void>
}

interface MachineParts extends WireEnd {
  readonly name: string
  readonly data: string
  readonly certificateFile: string
  readonly network: Readonly<Record<string, string>>
}

export function aMachine(stack: AsyncDisposableStack, parts: MachineParts): Machine {
  const { name, data, ip, space, cable } = parts
  const running = new Map<string, BackgroundProcess>()
  const inside = `--net=/run/netns/${space}`
  const environment = {
    ...parts.network,
    FAIRLEAD_WORKER_NAME: name,
    FAIRLEAD_WORKER_LISTEN: `0.0.0.0:${WORKER_PORT}`,
    FAIRLEAD_GUARDIAN_LISTEN: `${ip}:${GUARDIAN_PORT}`,
    // Nothing of this machine's own owner.
    FAIRLEAD_GUARDIAN_BOUNDS: join(data, 'guardian.yaml'),
    FAIRLEAD_GUARDIAN_LOOK_SECONDS: '1',
  }
  return {
    ...{ name, ip, data },
    fairlead: (words, folder = data) =>
      command('nsenter', [inside, FAIRLEAD, ...words], {
        folder: data,
        env: { ...environment, FAIRLEAD_DATA: folder, NODE_EXTRA_CA_CERTS: parts.certificateFile },
      }),
    async start(part) {
      const { program, args, env } = partCommandLine({ name: part, data, environment })
      const folder = join(data, part)
      const logFile = join(folder, `${part}.log`)
      const from = (await stat(logFile).catch(() => undefined))?.size ?? 0
      const process = await startProcess({
        ...{ program: 'nsenter', args: [inside, program, ...args], folder, logFile, env },
        ready: async () => (await readFile(logFile)).subarray(from).includes(`"event":"${part}.listening"`),
      })
      running.set(part, process)
      stack.defer(process.close)
    },
    async kill() {
      const worker = running.get('worker')
      if (worker) {
        process.kill(worker.pid, 'SIGKILL')
        await worker.ended
      }
    },
    link: async state => void (await mustRun('ip', ['link', 'set', cable, state], AT)),
    async slow(rate) {
      // Both ways: what the host sends, and what is sent to it. Delay (netem) is not in every kernel, this is.
      const how = ['root', 'tbf', 'rate', rate, 'burst', '4kb', 'latency', '3s']
      await mustRun('tc', ['qdisc', 'add', 'dev', cable, ...how], AT)
      await mustRun('tc', ['-n', space, 'qdisc', 'add', 'dev', 'eth0', ...how], AT)
    },
    async run(program, ...args) {
      const logFile = join(data, `${newId()}.log`)
      const started = await startProcess({
        ...{ program: 'nsenter', args: [inside, program, ...args], folder: data, logFile },
        ready: async () => (await stat(logFile)).size > 0,
      })
      stack.defer(started.close)
    },
  }
}

interface WireEnd {
  readonly ip: string
  /** Network namespace. */
  readonly space: string
  /** The end of the cable on this side. */
  readonly cable: string
}

/** A bridge with an address of this machine's, and a cable from it into each of so many new network namespaces. */
export async function layWires(
  stack: AsyncDisposableStack,
  count: number,
): Promise<{ readonly hostIp: string; readonly ends: readonly WireEnd[] }> {
  const id = newId().slice(-8)
  const bridge = `flb${id}`
  await mustRun('ip', ['link', 'add', bridge, 'type', 'bridge'], AT)
  stack.defer(async () => void (await command('ip', ['link', 'delete', bridge], AT)))
  const { hostIp } = await claimAddresses(bridge)
  const [, network = '', last = '0'] = /^(.*\.)(\d+)$/.exec(hostIp) ?? []
  const ends: WireEnd[] = []
  for (let index = 1; index <= count; index++) {
    const [space, cable, ip] = [`fls${id}${index}`, `flc${id}${index}`, `${network}${Number(last) + index}`]
    await mustRun('ip', ['netns', 'add', space], AT)
    stack.defer(async () => {
      await command('ip', ['link', 'delete', cable], AT)
      await mustRun('ip', ['netns', 'delete', space], AT)
    })
    const peer = ['type', 'veth', 'peer', 'name', 'eth0', 'netns', space]
    await mustRun('ip', ['link', 'add', cable, ...peer], AT)
    for (const words of [
      ['link', 'set', cable, 'master', bridge, 'up'],
      ['-n', space, 'address', 'add', `${ip}/29`, 'dev', 'eth0'],
      ['-n', space, 'link', 'set', 'lo', 'up'],
      ['-n', space, 'link', 'set', 'eth0', 'up'],
    ]) {
      await mustRun('ip', words, AT)
    }
    ends.push({ ip, space, cable })
  }
  return { hostIp, ends }
}
