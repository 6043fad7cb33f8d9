import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { type Client, createClient } from '#cli/client.ts'
import { ensureBaseImage } from '#cli/demo/base-image.ts'
import { certificateIn, LOOPBACK_NAMES } from '#cli/demo/certificate.ts'
import { DOCKER_SOCKET } from '#cli/demo/engine.ts'
import { freePort } from '#cli/demo/free-port.ts'
import { freeSubnet } from '#cli/demo/free-subnet.ts'
import { type GitServer, startGitServer } from '#cli/demo/git-server.ts'
import { openPlace } from '#cli/demo/place.ts'
import { containerIds, removeFromEngine } from '#cli/demo/remove-from-engine.ts'
import { startPart } from '#cli/parts.ts'
import { type CommandResult, command } from './command.ts'
import { aMachine, FAIRLEAD, layWires, type Machine } from './machine.ts'
import { settingsOfStore } from './system-database.ts'

/** A manager behind TLS, a Git server, and machines on one bridge. */
export interface Fleet {
  readonly folder: string
  readonly client: Client
  readonly baseImage: string
  readonly gitServer: GitServer
  /** Where the machines clone it from. */
  gitUrl(repository: string): string
  /** PEM that the machines trust for the manager and the Git server. */
  readonly ca: string
  readonly machines: readonly Machine[]
  /** The command line of an administrator beside the manager. */
  fairlead(...words: string[]): Promise<CommandResult>
  /** Names an app whose containers and images are removed at the end. */
  own(app: string): void
}

/** Needs root. At most five machines; nothing of them stays. */
export async function startFleet(stack: AsyncDisposableStack, names: readonly string[]): Promise<Fleet> {
  const place = await openPlace()
  stack.defer(place.remove)
  const baseImage = `${place.name}/base:1`
  const images = [baseImage]
  const apps: string[] = []
  const except = await containerIds()
  const networks = names.map((_, index) => `${place.name}-${index}`)
  stack.defer(async () => {
    for (const network of networks) {
      await removeFromEngine({ network, apps, except, images })
    }
  })
  await ensureBaseImage({ name: baseImage, socketPath: DOCKER_SOCKET })
  const wires = await layWires(stack, names.length)
  const { hostIp } = wires
  const { certificate, key, certificateFile } = await certificateIn(join(place.folder, 'tls'), [
    hostIp,
    ...LOOPBACK_NAMES,
  ])
  const gitServer = await startGitServer({
    ...{ folder: join(place.folder, 'git'), username: 'test', password: 'a-password-of-the-test' },
    certificate: { certificate, key },
  })
  stack.defer(gitServer.close)
  const gitPort = await listening(stack, hostIp, relayTo(Number(new URL(gitServer.url('x')).port)))
  const managerPort = await freePort()
  const front = createSecureServer({ cert: certificate, key }, (from, to) => {
    const headers = { ...from.headers, 'x-forwarded-for': from.socket.remoteAddress ?? '' }
    const handed = { host: '127.0.0.1', port: managerPort, method: from.method, path: from.url, headers }
    const inner = request({ ...handed, agent: false }, answer => {
      to.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(to)
    })
    inner.on('error', () => to.destroy())
    from.pipe(inner)
  })
  const publicUrl = `https://${hostIp}:${await listening(stack, hostIp, front)}`
  const subnets: string[] = []
  for (const _ of names) {
    subnets.push(await freeSubnet(DOCKER_SOCKET, subnets))
  }
  const tokenFile = join(place.folder, 'admin-token')
  const manager = await startPart({
    name: 'manager',
    data: place.folder,
    environment: {
      ...(await settingsOfStore()),
      FAIRLEAD_LISTEN: `127.0.0.1:${managerPort}`,
      FAIRLEAD_PUBLIC_URL: publicUrl,
      FAIRLEAD_TRUSTED_PROXIES: '127.0.0.1',
      FAIRLEAD_ADMIN_TOKEN_FILE: tokenFile,
      FAIRLEAD_ALLOW_PRIVATE: `${hostIp}/32`,
      FAIRLEAD_OBSERVE_SECONDS: '2',
    },
  })
  stack.defer(manager.close)
  const machines = await Promise.all(
    wires.ends.map(async (end, index) => {
      const name = names[index] ?? ''
      const data = join(place.folder, name)
      await mkdir(join(data, 'worker'), { recursive: true, mode: 0o700 })
      const policy = `allowPrivate: ["${hostIp}/32"]\n`
      await writeFile(join(data, 'worker', 'policy.yaml'), policy, { mode: 0o600 })
      const network = {
        FAIRLEAD_NETWORK: networks[index] ?? '',
        FAIRLEAD_SUBNET: subnets[index] ?? '',
      }
      return aMachine(stack, { ...end, name, data, certificateFile, network })
    }),
  )
  const managerUrl = `http://127.0.0.1:${managerPort}`
  return {
    ...{ folder: place.folder, baseImage, gitServer, ca: certificate, machines },
    client: createClient({ managerUrl, token: undefined, tokenFile }),
    gitUrl: repository => `https://${hostIp}:${gitPort}/${repository}.git`,
    fairlead: (...words) =>
      command(FAIRLEAD, words, {
        folder: place.folder,
        env: { FAIRLEAD_MANAGER: managerUrl, FAIRLEAD_TOKEN_FILE: tokenFile },
      }),
    own(app) {
      apps.push(app)
      images.push(`fairlead/${app}:`)
    },
  }
}

/** Bytes to a port of this machine that listens for itself only. */
function relayTo(port: number): Server {
  return createServer(near => {
    const far = connect(port, '127.0.0.1')
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
      one.pipe(other)
    }
  })
}

async function listening(stack: AsyncDisposableStack, host: string, server: Server): Promise<number> {
  server.listen(0, host)
  await once(server, 'listening')
  stack.defer(() => void server.close())
  return (server.address() as AddressInfo).port
}
