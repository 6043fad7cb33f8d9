import { join } from 'node:path'
import type { Session } from '#cli/session.ts'
import { startTogether, type Together } from '#cli/together.ts'
import { makeWeb } from '#cli/web-build.ts'
import { randomText } from '#lib/id.ts'
import { ensureBaseImage } from './base-image.ts'
import { freePort } from './free-port.ts'
import { freeSubnet } from './free-subnet.ts'
import { type GitServer, startGitServer } from './git-server.ts'
import { openPlace } from './place.ts'
import { type Proxy as RunningProxy, startProxy } from './proxy.ts'
import { type Registry, startRegistry } from './registry.ts'
import { containerIds, refuseAppsInUse, removeFromEngine } from './remove-from-engine.ts'
import type { Hook } from './send-webhook.ts'

/** Everything that a deployment needs, started for one run of the demo. */
export interface World extends AsyncDisposable {
  readonly folder: string
  readonly baseImage: string
  readonly registry: Registry
  readonly gitServer: GitServer
  readonly proxy: RunningProxy
  readonly together: Together
  /** Names one more app whose containers, networks and volumes are removed at the end. */
  addApp(name: string): Promise<void>
  /** Where pushes to the Git server are told, once the repository is registered. */
  hook: Hook | undefined
}

export interface WorldOptions {
  /** Names that no container of this machine may have yet. */
  readonly apps: readonly string[]
  /** One line about each part as soon as it is there. */
  readonly tell: (part: string, what: string) => void
  /** More variables for the manager and the worker. */
  readonly environment?: Readonly<Record<string, string>>
}

const USERNAME = 'demo'
/** Demo Git servers are on loopback; the one of the user may be in a private network. */
const PRIVATE = ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '::1/128', 'fc00::/7']

/** Starts all parts; when one fails, or at disposal, everything that was started or made is gone again. */
export async function openWorld(session: Session, { apps, tell, environment }: WorldOptions): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const place = await openPlace()
  stack.defer(place.remove)
  await refuseAppsInUse(apps)
  const baseImage = `${place.name}/base:1`
  const ours = { apps: [...apps], images: [baseImage], except: await containerIds() }
  await place.remember(ours)
  stack.defer(() => removeFromEngine({ ...ours, network: place.name }))

  const account = { username: USERNAME, password: randomText(18) }
  const [, registry, gitServer, proxy] = await settleAll([
    startBase(baseImage, tell),
    startRegistry({ folder: join(place.folder, 'registry'), ...account }).then(registry => {
      stack.defer(registry.close)
      ours.images.push(`${registry.address}/`)
      tell('registry', `${registry.address} with TLS and a password`)
      return registry
    }),
    startGitServer({ folder: join(place.folder, 'git'), ...account }).then(server => {
      stack.defer(server.close)
      tell('Git server', `${server.url('demo')} with TLS and a password`)
      return server
    }),
    startProxy({ folder: join(place.folder, 'proxy') }).then(proxy => {
      stack.defer(proxy.close)
      tell('proxy', `Caddy, http://127.0.0.1:${proxy.httpPort}`)
      return proxy
    }),
  ])
  await place.remember(ours)
  session.signal.throwIfAborted()
  makeWeb(text => session.printer.note(text))
  const together = await startTogether({
    folder: place.folder,
    clock: session.clock,
    ...(environment === undefined ? {} : { environment }),
    managerPort: await freePort(7400),
    workerPort: await freePort(7443),
    baseDomain: 'localhost',
    proxy,
    network: { name: place.name, subnet: await freeSubnet() },
    registry,
    allowPrivate: PRIVATE,
  })
  stack.defer(together.close)
  tell('manager', `${together.url}, enrolled with the worker: mutual TLS, each knows the other's key`)
  const owned = stack.move()
  return {
    folder: place.folder,
    baseImage,
    registry,
    gitServer,
    proxy,
    together,
    async addApp(name) {
      ours.apps.push(name)
      await place.remember(ours)
    },
    hook: undefined,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function startBase(name: string, tell: WorldOptions['tell']): Promise<void> {
  await ensureBaseImage({ name })
  tell('base image', `${name}, made from /bin/busybox: nothing is downloaded`)
}

/** As Promise.all, but when one fails the others are awaited first, so that all can be cleaned up. */
async function settleAll<T extends readonly unknown[]>(
  starts: {
    [K in keyof T]: Promise<T[K]>
  },
): Promise<T> {
  await Promise.allSettled(starts)
  return (await Promise.all(starts)) as unknown as T
}
