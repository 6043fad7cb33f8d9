import { execFile } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { access, chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { type BackgroundProcess, startProcess } from '#cli/demo/background-process.ts'
import { systemClock } from '#lib/clock.ts'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { endAllIn, endProgramsOf } from './end-programs-of.ts'
import { layWire } from './second-engine.ts'

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
  /** Network namespace by path, for nsenter. */
  readonly namespace: string
  /** Where ports of its containers are listened at; this machine reaches it over a cable. */
  readonly ip: string
  /** This machine, as it and its containers see it. */
  readonly hostIp: string
  /** One request to its API: a way past Fairlead, to look and to change things by hand. Waits for what it begins. */
  ask<T>(method: string, path: string, body?: unknown): Promise<T>
  /** SIGKILL. Containers go on. */
  kill(): Promise<void>
  start(): Promise<void>
  /** A file as a further image. */
  addImage(file: string, name: string): Promise<void>
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
  stack.defer(() => removeAll(ask, { pool, network }))
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
  stack.defer(() => endProgramsOf(`INCUS_DIR=${join(folder, 'd')}`))
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
  return {
    ...{ socket, folder, pool: `p${id}`, network: `b${id}`, ask },
    ...{ ip: wire.ip, hostIp: wire.hostIp, namespace: wire.namespace },
    async addImage(file, name) {
      const { fingerprint } = await upload(socket, file)
      await ask('POST', '/1.0/images/aliases', { name, target: fingerprint })
    },
    async kill() {
      process.kill(running.pid, 'SIGKILL')
      await running.ended
    },
    async start() {
      running = await start()
    },
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
export async function removeAll(
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

interface Reply {
  readonly type: string
  readonly operation?: string
  readonly metadata: unknown
  readonly error?: string
}

async function done(socket: string, method: string, path: string, body?: unknown): Promise<unknown> {
  return await settled(socket, await send(socket, method, path, body))
}

async function settled(socket: string, reply: Reply): Promise<unknown> {
  if (reply.type !== 'async') {
    return reply.metadata
  }
  for (;;) {
    const { metadata } = await send(socket, 'GET', `${reply.operation}/wait?timeout=120`)
    const { status_code, metadata: left } = metadata as { status_code: number; metadata?: unknown }
    // Of what goes on at another member of a cluster the daemon tells at once.
    if (status_code >= 200) {
      return left
    }
    await systemClock.sleep(50)
  }
}

/** One request to the API behind a socket; what it begins is not waited for. */
export async function send(socketPath: string, method: string, path: string, body?: unknown): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const sent = request({ socketPath, method, path, headers: { host: 'incus' }, agent: false }, answer =>
    read(answer).then(resolve, reject),
  )
  sent.on('error', reject)
  sent.end(body === undefined ? undefined : JSON.stringify(body))
  return await promise
}

async function upload(socketPath: string, file: string): Promise<{ fingerprint: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const headers = { host: 'incus', 'content-type': 'application/octet-stream' }
  const sent = request({ socketPath, method: 'POST', path: '/1.0/images', headers, agent: false }, answer =>
    read(answer).then(resolve, reject),
  )
  sent.on('error', reject)
  await pipeline(createReadStream(file), sent)
  return (await settled(socketPath, await promise)) as { fingerprint: string }
}

async function read(answer: NodeJS.ReadableStream): Promise<Reply> {
  const reply = JSON.parse(await text(answer)) as Reply
  if (reply.type === 'error') {
    throw new Error(reply.error)
  }
  return reply
}
