import { type ComposeProject, composeAdd, composeCreate } from '#programs/compose.ts'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import { removeContainer, stopContainer } from '#programs/docker-containers.ts'
import type { Hands } from './command.ts'
import { answering } from './compose-answers.ts'
import { type Arrangement, arrange } from './compose-arrange.ts'
import { converge } from './compose-converge.ts'
import type { ComposeContainer } from './compose-data.ts'
import { explainFailure } from './compose-explain.ts'
import { projectFolder, renderFile } from './compose-folders.ts'
import { fetchImages } from './compose-images.ts'
import { expectedServices, mustStart } from './compose-judge.ts'
import { OWN_KEY, type Render } from './compose-model.ts'
import { describeContainers, projectContainers, serviceOf } from './compose-observe.ts'
import { connectRoutes } from './compose-routes.ts'
import { readOwner } from './compose-store.ts'
import { ensureNetwork } from './container-network.ts'
import type { RegistryData } from './image-data.ts'

export interface BringUp {
  readonly project: string
  readonly render: Render
  readonly hash: string
  readonly withinMs: number
  readonly settleMs?: number
  /** Path that every routed service must answer with 2xx or 3xx. */
  readonly http?: string
  readonly registries: readonly RegistryData[]
  /** Services whose new container starts beside the old one, which stays. */
  readonly beside: readonly string[]
  /** Ids of containers that are made anew whatever they were made from. */
  readonly remade?: readonly string[]
  /** On the way back, who still answers visitors is not started again although what it depends on was made anew. */
  readonly isReturn?: boolean
  /** Asked before anything is started; what runs as it is wanted needs nobody's leave to go on. */
  readonly admit?: () => Promise<void>
}

export interface BroughtUp {
  /** What runs of the render. */
  readonly services: ComposeContainer[]
  readonly touched: string[]
  /** Name of a route -> address of the container that it shall lead to. */
  readonly addresses: Record<string, string>
  /** Outdated containers that go on serving until somebody retires them. */
  readonly replaced: readonly ContainerFacts[]
}

/** Makes what runs equal to a render. Does nothing to a service that is as wanted. */
export async function bringUp(hands: Hands, wish: BringUp): Promise<BroughtUp> {
  const { project, render } = wish
  const { routes } = render[OWN_KEY]
  const [imageIds] = await Promise.all([
    fetchImages(hands, wish),
    routes.length > 0 ? ensureNetwork(hands) : undefined,
  ])
  const [before, serving] = await Promise.all([projectContainers(hands, project), servingOf(hands, wish)])
  const network = hands.host.network.name
  const { beside, remade } = wish
  const arranged = arrange(render, { containers: before, imageIds, beside, remade, serving, network })
  if (startsAny(render, arranged, before)) {
    await wish.admit?.()
  }
  await create(hands, wish, { ...arranged, before })
  const replaced = new Set(arranged.replaced.map(each => each.id))
  const ours = async () => (await projectContainers(hands, project)).filter(each => !replaced.has(each.id))
  // Before anything is started, so that a service is in the proxy's network from its first moment.
  await connectRoutes(hands, routes, { containers: await ours(), replaced: arranged.replaced, before })
  const goal = {
    project,
    services: expectedServices(render),
    routes,
    containers: ours,
    start: composeProject(hands, wish),
    withinMs: wish.withinMs,
    settleMs: wish.settleMs ?? 2_000,
    http: wish.http,
    admit: wish.admit,
  }
  const ready = await converge(hands, { ...goal, before: livesOf(before) })
  const after =
    arranged.restart.length === 0
      ? ready
      : await restart(hands, goal, { ready, names: arranged.restart, isReturn: wish.isReturn ?? false })
  const touched = touchedServices(
    before.filter(each => !replaced.has(each.id)),
    after,
  )
  hands.say(touched.length === 0 ? 'nothing had to be changed' : `changed: ${touched.join(', ')}`, 'info')
  return {
    services: await describeContainers(hands, after),
    touched,
    addresses: Object.fromEntries(
      routes.map(({ name, service }) => [
        name,
        after.find(each => serviceOf(each) === service)?.addresses[network] ?? '',
      ]),
    ),
    replaced: arranged.replaced,
  }
}

function startsAny(render: Render, arranged: Arrangement, before: readonly ContainerFacts[]): boolean {
  const { inPlace, scale, restart, replaced, leftovers } = arranged
  const services = new Map(expectedServices(render).map(each => [each.name, each]))
  const stays = before.filter(each => !replaced.includes(each) && !leftovers.includes(each))
  return (
    inPlace.length + restart.length + Object.keys(scale).length > 0 ||
    stays.some(each => mustStart(services.get(serviceOf(each)), each))
  )
}

/** Addresses that the proxy leads to now, also for routes that this render no longer has. */
async function servingOf(hands: Hands, { project, render }: BringUp): Promise<readonly string[]> {
  const owner = await readOwner(hands, project)
  const names = [...render[OWN_KEY].routes.map(route => route.name), ...(owner?.routes ?? [])]
  return names.flatMap(name => hands.host.switchboard.current(name)?.ip ?? [])
}

/** Each in one call of Compose: what runs beside something else, and what takes the place of something. */
async function create(
  hands: Hands,
  wish: BringUp,
  { leftovers, scale, inPlace, before }: Arrangement & { readonly before: readonly ContainerFacts[] },
): Promise<void> {
  const { dockerSocket } = hands.host
  for (const each of leftovers) {
    hands.say(`removing ${each.name}: it is not part of the release`, 'info')
    await hands.perform(stopContainer(dockerSocket, each.id))
    await hands.perform(removeContainer(dockerSocket, each.id, 'keep'))
  }
  const project = composeProject(hands, wish)
  // Compose itself would take them for what they were made from.
  const changed = before.filter(each => wish.remade?.includes(each.id)).map(serviceOf)
  const forced = inPlace.filter(name => changed.includes(name))
  const plain = inPlace.filter(name => !changed.includes(name))
  const calls = [
    ...(Object.keys(scale).length > 0 ? [composeAdd(project, scale)] : []),
    ...(plain.length > 0 ? [composeCreate(project, plain)] : []),
    ...(forced.length > 0 ? [composeCreate(project, forced, 'always')] : []),
  ]
  for (const call of calls) {
    const failure = await hands.perform(call)
    if (failure) {
      throw await explainFailure(hands, wish.project, failure)
    }
  }
}

interface Restart {
  readonly ready: readonly ContainerFacts[]
  readonly names: readonly string[]
  readonly isReturn: boolean
}

/** Only now, when what they depend on is ready: had that failed, they would serve on. */
async function restart(
  hands: Hands,
  goal: Omit<Parameters<typeof converge>[1], 'before'>,
  { ready, names, isReturn }: Restart,
): Promise<readonly ContainerFacts[]> {
  const candidates = ready.filter(each => names.includes(serviceOf(each)) && each.state === 'running')
  const spared = isReturn ? await answering(hands, candidates, goal) : []
  const dependents = candidates.filter(each => !spared.includes(each))
  for (const each of dependents) {
    hands.say(`${each.name} is started again: a service that it depends on was made anew`, 'info')
    await hands.perform(stopContainer(hands.host.dockerSocket, each.id))
  }
  return converge(hands, { ...goal, before: livesOf(ready) })
}

function livesOf(containers: readonly ContainerFacts[]): ReadonlyMap<string, string> {
  return new Map(containers.map(each => [each.id, each.startedAt]))
}

function composeProject(hands: Hands, { project, hash }: BringUp): ComposeProject {
  const { workspace, dockerSocket, dockerHome } = hands.host
  return {
    name: project,
    files: [renderFile(workspace, project, hash)],
    folder: projectFolder(workspace, project),
    socket: dockerSocket,
    home: dockerHome,
  }
}

function touchedServices(before: readonly ContainerFacts[], after: readonly ContainerFacts[]): string[] {
  const lives = (containers: readonly ContainerFacts[]) =>
    new Set(containers.map(each => `${each.id} ${each.startedAt}`))
  const old = lives(before)
  const young = lives(after)
  const changed = [
    ...before.filter(each => !young.has(`${each.id} ${each.startedAt}`)),
    ...after.filter(each => !old.has(`${each.id} ${each.startedAt}`)),
  ]
  return [...new Set(changed.map(serviceOf))].sort()
}
