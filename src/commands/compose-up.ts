import { type Static, Type } from 'typebox'
import { parseReference } from '#formats/image-reference.ts'
import { asFairleadError } from '#lib/errors.ts'
import { scalarText, shapeOf } from '#policy/shape.ts'
import type { ComposeProject } from '#programs/compose.ts'
import { composeCreate, composeUp as composeStart } from '#programs/compose.ts'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import { inspectImage } from '#programs/docker-images.ts'
import { defineCommand, type Hands } from './command.ts'
import { converge } from './compose-converge.ts'
import { ComposeContainer, ProjectName, RenderHash, ServiceName } from './compose-data.ts'
import { COMPOSE_IMAGE_MISSING } from './compose-errors.ts'
import { explainFailure } from './compose-explain.ts'
import { projectFolder, renderFile } from './compose-folders.ts'
import { expectedServices } from './compose-judge.ts'
import { OWN_KEY, type Render, renderText, unbuilt, withImages } from './compose-model.ts'
import { describeContainers, projectContainers, serviceOf } from './compose-observe.ts'
import { differs } from './compose-outdated.ts'
import { connectRoutes } from './compose-routes.ts'
import { claimProject, copyMounts, keepRender, pruneRenders, readRender } from './compose-store.ts'
import { AppName, ImageName } from './container-data.ts'
import { ensureNetwork } from './container-network.ts'
import { refuseForbiddenImage } from './container-policy.ts'
import { RegistryData } from './image-data.ts'
import { pull } from './image-pull.ts'

const strict = { additionalProperties: false } as const
const RENDERS_KEPT = 12
const Milliseconds = Type.Integer({ minimum: 0, maximum: 3_600_000 })

/** How long services may take, and the credentials for their images. */
export const StartWish = {
  withinMs: Milliseconds,
  /** How long a service without a health check must run; default 2 s. */
  settleMs: Type.Optional(Milliseconds),
  registries: Type.Array(RegistryData, { maxItems: 16 }),
}

const UpData = Type.Object(
  {
    app: AppName,
    project: ProjectName,
    /** From compose.render. */
    render: RenderHash,
    /** Images that were built for services, by service. */
    images: Type.Record(ServiceName, ImageName),
    ...StartWish,
  },
  strict,
)

export const UpResult = Type.Object(
  {
    /** The configuration as deployed; compose.restore brings it back. */
    render: RenderHash,
    services: Type.Array(ComposeContainer),
    /** Services whose containers were made, made anew or removed. */
    touched: Type.Array(Type.String()),
  },
  strict,
)
export type UpResult = Static<typeof UpResult>

export const composeUp = defineCommand({
  name: 'compose.up',
  summary: 'Starts a rendered project, touches only what changed, and waits until every service is healthy.',
  role: 'worker',
  data: UpData,
  result: UpResult,
  deadlineMs: 30 * 60_000,
  lock: data => `compose:${data.project}`,
  async run(hands, data) {
    const draft = await readRender(hands, data.project, data.render)
    const missing = unbuilt(draft, data.images)[0]
    if (missing !== undefined) {
      throw COMPOSE_IMAGE_MISSING(missing, 'it was not built')
    }
    const render = withImages({ ...draft, [OWN_KEY]: { ...draft[OWN_KEY], app: data.app } }, data.images)
    await claimProject(hands, data.project, render[OWN_KEY])
    await copyMounts(hands, data.project, draft[OWN_KEY])
    const hash = await keepRender(hands, data.project, { text: renderText(render) })
    const result = await bringUp(hands, { ...data, render, hash })
    await pruneRenders(hands, data.project, { current: hash, most: RENDERS_KEPT })
    return result
  },
})

export interface BringUp {
  readonly project: string
  readonly render: Render
  readonly hash: string
  readonly withinMs: number
  readonly settleMs?: number
  readonly registries: readonly RegistryData[]
}

/** Makes what runs equal to a render. Does nothing to a service that is as wanted. */
export async function bringUp(hands: Hands, wish: BringUp): Promise<UpResult> {
  const { project, render, hash } = wish
  const { routes } = render[OWN_KEY]
  const [imageIds] = await Promise.all([
    fetchImages(hands, wish),
    routes.length > 0 ? ensureNetwork(hands) : undefined,
  ])
  const before = await projectContainers(hands, project)
  const services = expectedServices(render)
  if (differs(render, { containers: before, imageIds })) {
    await orExplain(hands, wish, composeCreate(composeProject(hands, wish)))
  }
  // Before anything is started, so that a service is in the proxy's network from its first moment.
  await connectRoutes(hands, routes, await projectContainers(hands, project))
  if (services.some(each => each.hasStartHooks)) {
    await orExplain(hands, wish, composeStart(composeProject(hands, wish)))
  }
  const after = await converge(hands, {
    project,
    services,
    before: new Map(before.map(each => [each.id, each.startedAt])),
    withinMs: wish.withinMs,
    settleMs: wish.settleMs ?? 2_000,
  })
  const touched = touchedServices(before, after)
  const said = touched.length === 0 ? 'nothing had to change' : `${touched.join(', ')} changed`
  hands.say(`${project}: ${said}`, 'info')
  return { render: hash, services: await describeContainers(hands, after), touched }
}

async function orExplain(hands: Hands, wish: BringUp, call: ReturnType<typeof composeCreate>): Promise<void> {
  const failure = await hands.perform(call)
  if (failure) {
    throw await explainFailure(hands, wish.project, failure)
  }
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

/** Brings what is not on this host and refuses what the host's policy does not let run. */
async function fetchImages(
  hands: Hands,
  { render, registries }: BringUp,
): Promise<ReadonlyMap<string, string>> {
  const { dockerSocket, policy } = hands.host
  const references = Object.values(shapeOf(render.services)).flatMap(
    service => scalarText(shapeOf(service).image) ?? [],
  )
  const ids = new Map<string, string>()
  for (const reference of new Set(references)) {
    let image = await hands.perform(inspectImage(dockerSocket, reference))
    if (!image && (await fetchImage(hands, reference, registries))) {
      image = await hands.perform(inspectImage(dockerSocket, reference))
    }
    if (!image) {
      throw COMPOSE_IMAGE_MISSING(reference, 'neither this host nor its registry has it')
    }
    refuseForbiddenImage(policy, { app: render[OWN_KEY].app, reference, image })
    ids.set(reference, image.id)
  }
  return ids
}

async function fetchImage(
  hands: Hands,
  reference: string,
  registries: readonly RegistryData[],
): Promise<boolean> {
  const address = parseReference(reference)?.host ?? 'docker.io'
  const registry = registries.find(each => each.address === address) ?? {
    address,
    username: '',
    password: '',
  }
  hands.say(`fetching ${reference}`, 'info')
  try {
    return await pull(hands, withTag(reference), registry)
  } catch (thrown) {
    const error = asFairleadError(thrown)
    // The engine's own refusals, such as a registry that it cannot reach, do not say which image it was.
    throw error.code === 'ENGINE_REFUSED'
      ? COMPOSE_IMAGE_MISSING(reference, error.message).with({ cause: thrown })
      : thrown
  }
}

/** Without a tag the engine would fetch every tag. */
function withTag(reference: string): string {
  const parsed = parseReference(reference)
  return parsed && !parsed.tag && !parsed.digest ? `${reference}:latest` : reference
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
