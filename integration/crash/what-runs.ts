import { DOCKER_SOCKET, listFromEngine } from '#cli/demo/engine.ts'
import type { AppDocument } from '#contract/rest/apps.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import { systemClock } from '#lib/clock.ts'
import type { Asked } from './ask.ts'
import type { CrashApp } from './crash-app.ts'
import type { CrashWorld } from './crash-world.ts'

const ANSWERS_WITHIN_MS = 10_000
const ASK_AGAIN_MS = 50

/** What visitors get, and from which containers. */
export interface Serving {
  readonly text: string
  readonly containers: readonly EngineContainer[]
}

export interface EngineContainer {
  readonly Id: string
  readonly ImageID: string
  readonly State: string
  readonly Labels: Readonly<Record<string, string>>
}

/** Undefined when nothing answers and nothing runs. */
export async function servingNow(world: CrashWorld, app: CrashApp): Promise<Serving | undefined> {
  const containers = await containersOf(world, app.name)
  const { status, body } = await world.system.visit(app.host)
  return status === 200 || containers.length > 0 ? { text: body, containers } : undefined
}

/** Everything that is recorded of a deployment and is not so, in words. */
export async function falsehoods(
  world: CrashWorld,
  app: CrashApp,
  { asked, end, before }: { asked: Asked; end: DeploymentDetail; before: Serving },
): Promise<readonly string[]> {
  if (end.state !== 'succeeded') {
    return await notAsBefore(world, app, { end, before })
  }
  if (asked.text === undefined) {
    return asked.work === 'stop' ? await notStopped(world, app) : await notGone(world, app)
  }
  const found = await answering(world, app, asked.text)
  const containers = await containersOf(world, app.name)
  const [container] = containers
  const wrong = found === asked.text ? [] : [`visitors of ${app.host} read ${JSON.stringify(found)}`]
  if (containers.length !== 1 || container?.State !== 'running') {
    return [...wrong, `${containers.length} containers: ${containers.map(({ State }) => State).join()}`]
  }
  return [...wrong, ...notInEvidence(end, asked, container)]
}

async function notAsBefore(
  world: CrashWorld,
  app: CrashApp,
  { end, before }: { end: DeploymentDetail; before: Serving },
): Promise<readonly string[]> {
  const said = end.error?.code && end.failed_step ? [] : [`${end.state} without an error and its step`]
  const found = await answering(world, app, before.text)
  const wrong =
    found === before.text ? [] : [`failed, but visitors of ${app.host} read ${JSON.stringify(found)}`]
  const ids = (containers: readonly EngineContainer[]) => containers.map(({ Id }) => Id.slice(0, 12)).join()
  const now = await containersOf(world, app.name)
  // A Compose service that failed is made anew when it goes back.
  const touched = app.target === 'container' && ids(now) !== ids(before.containers)
  return [...said, ...wrong, ...(touched ? [`failed, but ${ids(before.containers)} became ${ids(now)}`] : [])]
}

async function notStopped(world: CrashWorld, app: CrashApp): Promise<readonly string[]> {
  const { status } = await world.system.visit(app.host)
  const running = (await containersOf(world, app.name)).filter(({ State }) => State === 'running')
  const { stopped } = await world.system.together().client.get<AppDocument>(`/apps/${app.name}`)
  return [
    ...(status === 404 ? [] : [`stopped, but ${app.host} answers ${status}`]),
    ...(running.length === 0 ? [] : [`stopped, but ${running.length} containers run`]),
    ...(stopped ? [] : ['stopped, but the app does not say so']),
  ]
}

async function notGone(world: CrashWorld, app: CrashApp): Promise<readonly string[]> {
  const { status } = await world.system.visit(app.host)
  const containers = await containersOf(world, app.name)
  const known = await world.system
    .together()
    .client.get(`/apps/${app.name}`)
    .then(
      () => true,
      () => false,
    )
  return [
    ...(status === 404 ? [] : [`removed, but ${app.host} answers ${status}`]),
    ...(containers.length === 0 ? [] : [`removed, but ${containers.length} containers are there`]),
    ...(known ? ['removed, but the app is known'] : []),
  ]
}

/** The container that runs is the one of the evidence, made from the commit and the image that were recorded. */
function notInEvidence(end: DeploymentDetail, asked: Asked, container: EngineContainer): readonly string[] {
  const evidence = JSON.stringify(end.evidence)
  const labels = Object.values(container.Labels)
  return [
    ...(evidence.includes(container.Id) ? [] : [`the evidence does not name the container ${container.Id}`]),
    ...(evidence.includes(container.ImageID) ? [] : [`the evidence does not name ${container.ImageID}`]),
    // A rollback pushes nothing: its digest is that of the release.
    ...(asked.work === 'rollback' || /sha256:[0-9a-f]{64}/.test(JSON.stringify(digestsIn(end.evidence)))
      ? []
      : ['no digest was recorded']),
    ...(end.commit === asked.commit ? [] : [`the commit is ${end.commit} instead of ${asked.commit}`]),
    ...(labels.includes(end.id) || container.Labels['com.docker.compose.project']
      ? []
      : ['of another deployment']),
  ]
}

function digestsIn(evidence: unknown): readonly unknown[] {
  return Object.entries((evidence ?? {}) as Record<string, { digest?: string } | null>).flatMap(
    ([key, value]) => (key.startsWith('push') ? [value?.digest] : []),
  )
}

/** What visitors read: the wanted text as soon as they do, else what they read in the end. */
async function answering(world: CrashWorld, app: CrashApp, wanted: string): Promise<string> {
  const deadline = systemClock.monotonic() + ANSWERS_WITHIN_MS
  for (;;) {
    const { body } = await world.system.visit(app.host)
    if (body === wanted || systemClock.monotonic() > deadline) {
      return body
    }
    await systemClock.sleep(ASK_AGAIN_MS)
  }
}

async function containersOf({ dockerSocket }: CrashWorld, app: string): Promise<readonly EngineContainer[]> {
  return await listFromEngine<EngineContainer>(dockerSocket ?? DOCKER_SOCKET, '/containers/json', {
    label: [`io.fairlead.app=${app}`],
  })
}
