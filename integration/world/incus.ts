import { execFile } from 'node:child_process'
import { access, chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type BackgroundProcess, startProcess } from '#cli/demo/background-process.ts'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { endAll, endAllIn, endProgramsOf } from './end-programs-of.ts'
import { done, send, upload } from './incus-api.ts'
import { layWire, type Wire } from './second-engine.ts'

const DAEMON = '/usr/libexec/incus/incusd'
/** Where the programs of the package are that the daemon starts. */
const PATH = '/usr/libexec/incus:/usr/sbin:/usr/bin:/sbin:/bin'
export const IMAGE = 'busybox'

/**
 * An Incus daemon of its own, in a network namespace of its own: its rules, bridges and ports are nobody else's, and
 * what Docker does with forwarded traffic does not reach it.
 */
export interface IncusHost {
  readonly socket: string
  readonly folder: string
  readonly pool: string
  readonly network: string
  /** Its network namespace, and the cable over which this machine reaches it. */
  readonly wire: Wire
  /** Network namespace by path, for nsenter. */
  readonly namespace: string
  /** Where ports of its containers are listened at. */
  readonly ip: string
  /** One request to its API: a way past Fairlead, to look and to change things by hand. Waits for what it begins. */
  ask<T>(method: string, path: string, body?: unknown): Promise<T>
  /** SIGKILL. Containers go on. */
  kill(): Promise<void>
  /** Ends it and all that it runs, first processes of containers too, without a word to any of them. */
  cutPower(): Promise<void>
  start(): Promise<void>
  /** A file as a further image. */
  addImage(file: string, name: string): Promise<void>
  /** Removes all that it has, once. */
  clear(): Promise<void>
}

/** Why there can be no such daemon here; undefined: there can. With FAIRLEAD_REQUIRE_INCUS=1 that is an error. */
export async function whyNoIncus(): Promise<string | undefined> {
  const why = await reason()
  if (why !== undefined && process.env.FAIRLEAD_REQUIRE_INCUS === '1') {
    throw new Error(`FAIRLEAD_REQUIRE_INCUS=1, and there is no Incus: ${why}`)
  }
  return why
}

async function reason(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) {
    return 'it needs root'
  }
  for (const file of [DAEMON, '/dev/loop-control', '/usr/sbin/dropbear']) {
    if (!(await isThere(file))) {
      return `there is no ${file}; "scripts/setup" brings Incus`
    }
  }
  const kernel = await readFile('/proc/filesystems', 'utf8')
  return /\bbtrfs\b/.test(kernel) ? undefined : 'this kernel has no btrfs'
}

export async function startIncus(stack: AsyncDisposableStack, poolSize = '2GiB'): Promise<IncusHost> {
  const daemon = await startDaemon(stack)
  const { ask, pool, network, folder, addImage } = daemon
  stack.defer(daemon.clear)
  await ask('POST', '/1.0/storage-pools', { name: pool, driver: 'btrfs', config: { size: poolSize } })
  const config = { 'ipv4.address': '10.231.80.1/24', 'ipv4.nat': 'true', 'ipv6.address': 'none' }
  await ask('POST', '/1.0/networks', { name: network, type: 'bridge', config })
  const image = join(folder, 'image.tar.gz')
  await promisify(execFile)(join(PACKAGE_ROOT, 'scripts/system-image'), [IMAGE, image])
  await addImage(image, IMAGE)
  return daemon
}

/** A daemon without a pool, a network and an image: what a cluster gives to whoever joins it. */
export async function startDaemon(stack: AsyncDisposableStack): Promise<IncusHost> {
  // Short: the path of a socket has at most 107 characters.
  const folder = await mkdtemp('/tmp/inc-')
  // Root of a container is nobody on this machine, and has to get to its disk.
  await chmod(folder, 0o711)
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const wire = await layWire(stack)
  // What a daemon that was killed has started, its successor does not always end; some of it is in other namespaces.
  stack.defer(() => endAllIn(wire.name))
  const words = `INCUS_DIR=${join(folder, 'd')}`
  stack.defer(() => endProgramsOf(words))
  const socket = join(folder, 'd', 'unix.socket')
  const id = wire.name.slice(-8)
  // A daemon that is started again finds what the one before has mounted; nobody else does.
  const mounts = await startProcess({
    program: 'nsenter',
    args: [
      `--net=${wire.namespace}`,
      ...['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', MOUNTS, 'sh', folder],
    ],
    ...{ folder, logFile: join(folder, 'mounts.log'), readyWithinMs: 60_000 },
    ready: async () => await isThere(join(folder, 'mounted')),
  })
  stack.defer(() => mounts.close())
  const start = () =>
    startProcess({
      program: 'nsenter',
      args: [
        `--net=${wire.namespace}`,
        `--mount=/proc/${mounts.pid}/ns/mnt`,
        ...[DAEMON, '--group', 'root', '--verbose'],
      ],
      folder,
      logFile: join(folder, 'incusd.log'),
      env: {
        INCUS_DIR: join(folder, 'd'),
        PATH,
        // Otherwise it asks a public server for names at each start.
        HTTPS_PROXY: 'http://127.0.0.1:9',
        HTTP_PROXY: 'http://127.0.0.1:9',
        // Members of a cluster reach each other without it.
        NO_PROXY: '10.0.0.0/8',
        // Beside those of this machine: who signed the certificates of the image servers of a test.
        SSL_CERT_FILE: join(folder, 'authority.pem'),
      },
      readyWithinMs: 60_000,
      ready: async () =>
        await send(socket, 'GET', '/internal/ready').then(
          () => true,
          () => false,
        ),
    })
  let running: BackgroundProcess = await start()
  stack.defer(() => running.close())
  const ask = async <T>(method: string, path: string, body?: unknown) =>
    (await done(socket, method, path, body)) as T
  const own = { pool: `p${id}`, network: `b${id}` }
  let isClear = false
  const kill = async () => {
    process.kill(running.pid, 'SIGKILL')
    await running.ended
  }
  return {
    ...{ socket, folder, ...own, ask },
    async clear() {
      if (!isClear) {
        isClear = true
        await removeAll(ask, own)
      }
    },
    ...{ wire, ip: wire.ip, namespace: wire.namespace },
    async addImage(file, name) {
      const { fingerprint } = await upload(socket, file)
      await ask('POST', '/1.0/images/aliases', { name, target: fingerprint })
    },
    kill,
    async cutPower() {
      const paths = await ask<string[]>('GET', '/1.0/instances')
      const states = await Promise.all(paths.map(path => ask<{ pid: number }>('GET', `${path}/state`)))
      await kill()
      // Those that watch over containers before these: they would write down how one ended.
      await endProgramsOf(words)
      await endAll(states.map(({ pid }) => pid).filter(pid => pid > 1))
    },
    async start() {
      // As its supervisor would: Incus 6.0 may fall over what died before it knew of its containers.
      running = await start().catch(start)
    },
  }
}

/** How a worker is told of it. */
export function settingsOf({ socket, pool, network, ip }: IncusHost): Record<string, string> {
  return {
    FAIRLEAD_INCUS_SOCKET: socket,
    FAIRLEAD_INCUS_POOL: pool,
    FAIRLEAD_INCUS_NETWORK: network,
    FAIRLEAD_SYSTEM_ADDRESS: ip,
  }
}

/** What its containers are called. */
export async function namesOn({ ask }: Pick<IncusHost, 'ask'>): Promise<string[]> {
  const paths = await ask<string[]>('GET', '/1.0/instances')
  return paths.map(path => path.slice(path.lastIndexOf('/') + 1)).sort()
}

/**
 * $1 the folder. What /sys shows of interfaces is of the namespace that it was mounted in; all of a new one cannot be
 * taken, there are no control groups in it.
 */
const MOUNTS = [
  'mkdir "$1/sys"',
  'mount -t sysfs sysfs "$1/sys"',
  'mount --bind "$1/sys/devices/virtual/net" /sys/devices/virtual/net',
  'mount --bind "$1/sys/class/net" /sys/class/net',
  'touch "$1/mounted"',
  'exec sleep infinity',
].join('\n')

async function isThere(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  )
}

/** What a daemon has: containers first, as everything else is needed by them. */
async function removeAll(
  ask: IncusHost['ask'],
  { pool, network }: Pick<IncusHost, 'pool' | 'network'>,
): Promise<void> {
  const instances = await ask<string[]>('GET', '/1.0/instances').catch(() => [])
  for (const path of instances) {
    await ask('PUT', `${path}/state`, { action: 'stop', force: true }).catch(() => {})
    await ask('DELETE', path).catch(() => {})
  }
  for (const path of await ask<string[]>('GET', '/1.0/images').catch(() => [])) {
    await ask('DELETE', path).catch(() => {})
  }
  await ask('DELETE', `/1.0/networks/${network}`).catch(() => {})
  await ask('DELETE', `/1.0/storage-pools/${pool}`).catch(() => {})
}
