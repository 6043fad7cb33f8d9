import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DOCKER_SOCKET, listFromEngine } from '#cli/demo/engine.ts'
import { waitForPage } from '#cli/demo/visitors.ts'
import type { World } from '#cli/demo/world.ts'
import type { Session } from '#cli/session.ts'
import { containersOf, routesOf, volumesOf } from '#world/traces.ts'

/** Names of the five releases that can be gone back to, of the build and of the registry (docs/garbage-collection.md), and some room. */
const MOST_IMAGES = 12
const MOST_CHECKOUTS = 12
/** Of http and of https. */
const ROUTES = 2
/** What is cleared away after the end of a deployment is gone by then. */
const SETTLE_MS = 60_000

/** What is there that nothing needs once all deployments have ended, and which page of a last push is not served. */
export async function leftBehind(
  session: Session,
  world: World,
  pages: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const found: string[] = []
  for (const [app, page] of pages) {
    const site = { port: world.proxy.httpPort, host: `${app}.localhost` }
    const signal = AbortSignal.any([session.signal, AbortSignal.timeout(SETTLE_MS)])
    await waitForPage(site, page, { clock: session.clock, signal }).catch(
      () => void found.push(`${app} does not serve what was pushed last: ${page}`),
    )
  }
  const began = session.clock.monotonic()
  for (;;) {
    const left = (await Promise.all([...pages.keys()].map(app => leftOf(world, app)))).flat()
    const all = [...left, ...(await filesOf(world))]
    if (all.length === 0 || session.clock.monotonic() - began > SETTLE_MS) {
      return [...found, ...all]
    }
    await session.clock.sleep(1_000)
  }
}

async function leftOf(world: World, app: string): Promise<readonly string[]> {
  const containers = await containersOf(app)
  const volumes = await volumesOf(app)
  const images = await listFromEngine(DOCKER_SOCKET, '/images/json', { label: [`io.fairlead.app=${app}`] })
  const routes = await routesOf(world, app)
  return [
    ...(containers.length === 1 ? [] : [`${app} has these containers and not one: ${containers.join(', ')}`]),
    ...(volumes.length === 0 ? [] : [`${app} has volumes: ${volumes.join(', ')}`]),
    ...(images.length <= MOST_IMAGES ? [] : [`${app} has ${images.length} images`]),
    ...(routes.length === ROUTES ? [] : [`${app} has ${routes.length} routes: ${routes.join(', ')}`]),
  ]
}

async function filesOf({ folder }: World): Promise<readonly string[]> {
  const worker = join(folder, 'worker')
  const temporary = await readdir(join(worker, 'temporary'))
  const repositories = await readdir(join(worker, 'workspace/checkouts'))
  const checkouts = await Promise.all(
    repositories.map(each => readdir(join(worker, 'workspace/checkouts', each))),
  )
  const { length: most } = checkouts.sort((one, other) => other.length - one.length)[0] ?? []
  return [
    ...(temporary.length === 0 ? [] : [`temporary files of the worker: ${temporary.join(', ')}`]),
    ...((most ?? 0) <= MOST_CHECKOUTS ? [] : [`a repository has ${most} checkouts`]),
  ]
}
