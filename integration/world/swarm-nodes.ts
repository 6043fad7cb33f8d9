import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BackgroundProcess, startProcess } from '#cli/demo/background-process.ts'
import { callEngine } from '#cli/demo/engine.ts'
import { freeSubnet } from '#cli/demo/free-subnet.ts'
import { type Registry, startRegistry } from '#cli/demo/registry.ts'
import { newId } from '#lib/id.ts'
import { command, mustRun } from './command.ts'
import { LOGIN } from './container-world.ts'

const AT = { folder: '/' }

/** One machine of the swarm: an engine in namespaces of its own, with a network cable to all others. */
export interface SwarmNodeProcess {
  readonly name: string
  readonly address: string
  readonly socket: string
  /** Runs the docker CLI against it. */
  docker(...args: string[]): Promise<string>
  /** As a power cut: the engine and everything that it runs are gone at once. */
  kill(): Promise<void>
}

export interface SwarmNodes {
  readonly manager: SwarmNodeProcess
  readonly worker: SwarmNodeProcess
  /** At an address that every node reaches; each trusts its certificate. */
  readonly registry: Registry
}

/** Needs root. Two machines in one swarm; the engine of this machine takes no part and nothing of them stays. */
export async function startSwarm(stack: AsyncDisposableStack): Promise<SwarmNodes> {
  const folder = await mkdtemp(join(tmpdir(), 'swarm-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const cables = await layCables(stack)
  const registry = await startRegistry({
    folder: join(folder, 'registry'),
    host: cables.address(1),
    ...LOGIN,
  })
  stack.defer(registry.close)
  const start = (name: string, number: number) => startNode(stack, { folder, name, number, cables, registry })
  const [manager, worker] = await Promise.all([start('one', 2), start('two', 3)])
  await manager.docker('swarm', 'init', '--advertise-addr', manager.address)
  const token = (await manager.docker('swarm', 'join-token', '--quiet', 'worker')).trim()
  const join_ = ['swarm', 'join', '--advertise-addr', worker.address, '--token', token]
  await worker.docker(...join_, `${manager.address}:2377`)
  return { manager, worker, registry }
}

interface Cables {
  readonly id: string
  address(number: number): string
}

/** A switch in a namespace without any rules, so that no firewall of this machine is in the way. */
async function layCables(stack: AsyncDisposableStack): Promise<Cables> {
  const id = `s${newId().slice(-6)}`
  const subnet = (await freeSubnet()).replace(/\.0\/24$/, '')
  const address = (number: number) => `${subnet}.${number}`
  await mustRun('ip', ['netns', 'add', `${id}x`], AT)
  stack.defer(async () => void (await command('ip', ['netns', 'delete', `${id}x`], AT)))
  await mustRun('ip', ['-n', `${id}x`, 'link', 'add', 'switch', 'type', 'bridge'], AT)
  await mustRun('ip', ['-n', `${id}x`, 'link', 'set', 'switch', 'up'], AT)
  await plugIn(id, 1)
  stack.defer(async () => void (await command('ip', ['link', 'delete', `${id}e1`], AT)))
  await mustRun('ip', ['address', 'add', `${address(1)}/24`, 'dev', `${id}e1`], AT)
  await mustRun('ip', ['link', 'set', `${id}e1`, 'up'], AT)
  return { id, address }
}

/** One end is in this namespace, the other in the switch. */
async function plugIn(id: string, number: number): Promise<void> {
  const [end, port] = [`${id}e${number}`, `${id}p${number}`]
  await mustRun('ip', ['link', 'add', end, 'type', 'veth', 'peer', 'name', port, 'netns', `${id}x`], AT)
  await mustRun('ip', ['-n', `${id}x`, 'link', 'set', port, 'master', 'switch', 'up'], AT)
}

interface NodeWish {
  readonly folder: string
  readonly name: string
  readonly number: number
  readonly cables: Cables
  readonly registry: Registry
}

async function startNode(
  stack: AsyncDisposableStack,
  { folder, name, number, cables, registry }: NodeWish,
): Promise<SwarmNodeProcess> {
  const { id } = cables
  const address = cables.address(number)
  const space = `${id}n${number}`
  const own = join(folder, name)
  const trust = join(own, 'etc', 'certs.d', registry.address)
  await mkdir(trust, { recursive: true })
  await writeFile(join(trust, 'ca.crt'), registry.ca)
  await writeFile(join(own, 'daemon.json'), '{}')
  // A name server that refuses at once: an engine must not wait for one that is not there.
  await writeFile(join(own, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n')
  await mustRun('ip', ['netns', 'add', space], AT)
  stack.defer(async () => void (await command('ip', ['netns', 'delete', space], AT)))
  await plugIn(id, number)
  await mustRun('ip', ['link', 'set', `${id}e${number}`, 'netns', space, 'name', 'eth0'], AT)
  await mustRun('ip', ['-n', space, 'address', 'add', `${address}/24`, 'dev', 'eth0'], AT)
  for (const link of ['lo', 'eth0']) {
    await mustRun('ip', ['-n', space, 'link', 'set', link, 'up'], AT)
  }
  await mustRun('ip', ['-n', space, 'route', 'add', 'default', 'via', cables.address(1)], AT)
  const socket = join(own, 'docker.sock')
  const running = await startEngine({ own, space, name, socket, group: `/${space}` })
  stack.defer(() => end(running, space))
  return {
    name,
    address,
    socket,
    docker: (...args) => mustRun('docker', ['--host', `unix://${socket}`, ...args], { folder: own }),
    kill: () => end(running, space),
  }
}

/** The first process of a process namespace: when it goes, all that it ever started goes too. */
function startEngine(wish: {
  readonly own: string
  readonly space: string
  readonly name: string
  readonly socket: string
  readonly group: string
}): Promise<BackgroundProcess> {
  const { own, space, name, socket, group } = wish
  const script = [
    'hostname "$1"',
    'mount --bind "$2/resolv.conf" /etc/resolv.conf',
    'mount --bind "$2/etc" /etc/docker',
    'exec docker-init -- dockerd --data-root "$2/data" --exec-root "$2/exec" --pidfile "$2/pid" --host "unix://$3" --config-file "$2/daemon.json" --cgroup-parent "$4"',
  ].join(' && ')
  const apart = [
    '--mount',
    '--uts',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    '--propagation',
    'private',
  ]
  return startProcess({
    program: 'nsenter',
    args: [
      `--net=/run/netns/${space}`,
      'unshare',
      ...apart,
      'sh',
      '-c',
      script,
      'sh',
      name,
      own,
      socket,
      group,
    ],
    folder: own,
    logFile: join(own, 'dockerd.log'),
    readyWithinMs: 60_000,
    ready: () =>
      callEngine(socket, { method: 'GET', path: '/_ping' }).then(
        answer => answer.status === 200,
        () => false,
      ),
  })
}

async function end(running: BackgroundProcess, space: string): Promise<void> {
  try {
    process.kill(running.pid, 'SIGKILL')
  } catch {
    // It was ended before.
  }
  await running.ended
  // The groups that its containers were in are empty now.
  await command('find', ['/sys/fs/cgroup', '-depth', '-type', 'd', '-path', `*/${space}*`, '-delete'], AT)
}
