import { randomInt } from 'node:crypto'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BackgroundProcess, startProcess } from '#cli/demo/background-process.ts'
import { callEngine, listFromEngine } from '#cli/demo/engine.ts'
import { newId } from '#lib/id.ts'
import { command, mustRun } from './command.ts'
import { type Authority, type CertificateFolder, createAuthority } from './engine-certificates.ts'
import { removeEngineFolder } from './engine-folder.ts'

const AT = { folder: '/' }
const TLS_PORT = 2376

/** Another Docker engine, in a network namespace of its own: as far away as another machine. */
export interface SecondEngine {
  /** Its own Unix socket: a way past TLS, to look at what is there. */
  readonly socket: string
  /** What its clients connect to: tcp://10.215.x.y:2376, with TLS on both sides. */
  readonly address: string
  /** Its address, another one that it has, and that of this machine as the engine sees it. */
  readonly ip: string
  readonly otherIp: string
  readonly hostIp: string
  /** Signed both ends' certificates. */
  readonly authority: Authority
  /** A client that the engine takes. */
  readonly client: CertificateFolder
  readonly folder: string
  /** Network namespace by path, for nsenter. */
  readonly namespace: string
  /** The CLI against it, over its Unix socket; gives the standard output. */
  docker(...args: string[]): Promise<string>
  /** The engine takes a registry's certificate from now on; its BuildKit does after its next start. */
  trust(registry: string, ca: string): Promise<void>
  /** SIGKILL. Its containers go on. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Cuts or restores the cable between it and this machine. */
  link(state: 'up' | 'down'): Promise<void>
}

export interface SecondEngineOptions {
  /** Of somebody else who is there too; default: a namespace and a cable of its own. */
  readonly wire?: Wire
  /** Further arguments for dockerd, which knows the engine's address. */
  readonly args?: (ip: string) => readonly string[]
}

/** Needs root. Nothing of it stays: containers, processes, mounts, interfaces, files. */
export async function startSecondEngine(
  stack: AsyncDisposableStack,
  { args = () => [], wire: given }: SecondEngineOptions = {},
): Promise<SecondEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'second-engine-'))
  stack.defer(() => removeEngineFolder(folder))
  const wire = given ?? (await layWire(stack))
  const authority = await createAuthority()
  const names = [wire.ip, 'localhost']
  const server = await authority.issue({ folder: join(folder, 'server'), use: 'server', names })
  const client = await authority.issue({ folder: join(folder, 'client'), use: 'client' })
  const socket = join(folder, 'docker.sock')
  await makeSettings(folder)
  const address = `tcp://${wire.ip}:${TLS_PORT}`
  const start = () =>
    startProcess({
      program: 'nsenter',
      args: [
        // Not "ip netns exec": that mounts a new /sys, in which the engine finds no control groups.
        `--net=${wire.namespace}`,
        ...['unshare', '--mount', '--uts', '--propagation', 'private'],
        ...['sh', '-c', INSIDE, 'sh', folder, wire.name],
        ...['dockerd', '--config-file', join(folder, 'daemon.json')],
        ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')],
        ...['--pidfile', join(folder, 'docker.pid'), '--log-level', 'warn'],
        ...['--host', `unix://${socket}`, '--host', address],
        ...['--tlsverify', '--tlscacert', server.ca, '--tlscert', server.cert, '--tlskey', server.key],
        ...args(wire.ip),
      ],
      folder,
      logFile: join(folder, 'dockerd.log'),
      readyWithinMs: 60_000,
      ready: () => answers(socket),
    })
  let running: BackgroundProcess = await start()
  stack.defer(() => running.close())
  // First of all, so that no container outlives its engine.
  stack.defer(() => removeContainers(socket))
  return {
    ...{ socket, address, authority, client, folder },
    ...{ ip: wire.ip, otherIp: wire.otherIp, hostIp: wire.hostIp, namespace: wire.namespace },
    docker: (...words) => mustRun('docker', ['--host', `unix://${socket}`, ...words], { folder }),
    async trust(registry, ca) {
      const place = join(folder, 'etc', 'certs.d', registry)
      await mkdir(place, { recursive: true })
      await writeFile(join(place, 'ca.crt'), ca)
    },
    async kill() {
      process.kill(running.pid, 'SIGKILL')
      await running.ended
    },
    async start() {
      // Where nobody collects orphans, the processes that these files name stay in the table as dead ones.
      for (const file of ['docker.pid', 'exec/containerd/containerd.pid']) {
        await rm(join(folder, file), { force: true })
      }
      running = await start()
    },
    async link(state) {
      await mustRun('ip', ['link', 'set', wire.name, state], AT)
    },
  }
}

/**
 * $1 the folder, $2 the host name, then the engine's own call. A resolver that refuses at once: a silent one costs the
 * engine 20 s for each name.
 */
const INSIDE = [
  'folder=$1; hostname "$2"; shift 2',
  'mount --bind "$folder/resolv.conf" /etc/resolv.conf',
  'mount --bind "$folder/etc" /etc/docker',
  'exec "$@"',
].join('\n')

async function makeSettings(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  await mkdir(join(folder, 'etc'))
  await writeFile(join(folder, 'daemon.json'), '{}')
  await writeFile(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n')
}

async function answers(socket: string): Promise<boolean> {
  return await callEngine(socket, { method: 'GET', path: '/_ping' }).then(
    answer => answer.status === 200,
    () => false,
  )
}

async function removeContainers(socket: string): Promise<void> {
  if (await answers(socket)) {
    const containers = await listFromEngine<{ Id: string }>(socket, '/containers/json', {})
    await Promise.all(
      containers.map(({ Id }) =>
        callEngine(socket, { method: 'DELETE', path: `/containers/${Id}?force=true&v=true` }),
      ),
    )
  }
}

export interface Wire {
  /** Also of the interface on this side. */
  readonly name: string
  readonly namespace: string
  readonly ip: string
  readonly otherIp: string
  readonly hostIp: string
}

/** Two ends of a cable, one of them in a new network namespace. Names of interfaces have at most 15 characters. */
export async function layWire(stack: AsyncDisposableStack): Promise<Wire> {
  const id = newId().slice(-8)
  const name = `fle${id}`
  const inside = `fli${id}`
  await mustRun('ip', ['netns', 'add', name], AT)
  stack.defer(async () => {
    await command('ip', ['link', 'delete', name], AT)
    await mustRun('ip', ['netns', 'delete', name], AT)
  })
  await mustRun('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', inside, 'netns', name], AT)
  const { ip, otherIp, hostIp } = await claimAddresses(name)
  for (const words of [
    ['address', 'add', `${ip}/29`, 'dev', inside],
    ['address', 'add', `${otherIp}/29`, 'dev', inside],
    ['link', 'set', 'lo', 'up'],
    ['link', 'set', inside, 'up'],
    ['route', 'add', 'default', 'via', hostIp],
  ]) {
    await mustRun('ip', ['-n', name, ...words], AT)
  }
  return { name, namespace: `/run/netns/${name}`, ip, otherIp, hostIp }
}

/** A /29 that nobody else has: of 8192 one by lot, and another one when somebody was faster. */
export async function claimAddresses(name: string): Promise<Pick<Wire, 'ip' | 'otherIp' | 'hostIp'>> {
  for (;;) {
    const first = randomInt(8_192) * 8
    const at = (offset: number) => `10.215.${(first + offset) >> 8}.${(first + offset) & 255}`
    const hostIp = at(1)
    const known = await mustRun('ip', ['-o', 'route', 'show', 'root', `${at(0)}/29`], AT)
    if (known.trim() === '') {
      await mustRun('ip', ['address', 'add', `${hostIp}/29`, 'dev', name], AT)
      await mustRun('ip', ['link', 'set', name, 'up'], AT)
      return { ip: at(2), otherIp: at(3), hostIp }
    }
  }
}
