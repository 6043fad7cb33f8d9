import { Type } from 'typebox'
import { defineCommand, type Hands } from './command.ts'
import { RenderHash, ServiceName } from './compose-data.ts'
import { OWN_KEY, renderText } from './compose-model.ts'
import { claimProject, keepRender, pruneRenders } from './compose-store.ts'
import { AppName, ImageName } from './container-data.ts'
import { RegistryData } from './image-data.ts'
import { refuseForeignNames } from './own-names.ts'
import { bringStackUp } from './swarm-bring-up.ts'
import { StackName, SwarmServiceData } from './swarm-data.ts'
import { type StackModel, wishesOf, withStackImages } from './swarm-model.ts'
import { pinStack } from './swarm-pins.ts'
import { refuseForbiddenStack } from './swarm-policy.ts'
import { ownServices, requireManager, swarmNodes } from './swarm-reach.ts'
import { readStack, shelfOf } from './swarm-shelves.ts'

const strict = { additionalProperties: false } as const
const RENDERS_KEPT = 12

/** How long services may take, and the credentials that the nodes fetch images with. */
export const StackStart = {
  withinMs: Type.Integer({ minimum: 0, maximum: 3_600_000 }),
  registries: Type.Array(RegistryData, { maxItems: 16 }),
}

export const StackUpResult = {
  /** The stack as deployed; swarm.restore brings it back. */
  render: RenderHash,
  services: Type.Array(SwarmServiceData),
  /** Service -> fingerprint: another one says that somebody changed it. */
  fingerprints: Type.Record(Type.String(), Type.String()),
  /** Service -> image that its tasks run. */
  images: Type.Record(Type.String(), Type.String()),
}

export const swarmDeploy = defineCommand({
  name: 'swarm.deploy',
  summary:
    'Deploys a rendered stack with its secrets and configs, and waits until every service runs as wanted; a rollback of the swarm is a failure.',
  role: 'worker',
  data: Type.Object(
    {
      app: AppName,
      stack: StackName,
      /** From swarm.render; or of a release, which has its images already. */
      render: RenderHash,
      /** Of built services, by service: the names that their content gives them. */
      content: Type.Record(ServiceName, ImageName),
      /** Of built services, by service: what the nodes shall fetch. */
      built: Type.Record(ServiceName, ImageName),
      /** Images by digest of services whose tag means another one now, by service; others keep the one that they run. */
      pins: Type.Optional(Type.Record(ServiceName, ImageName)),
      /** Stacks of releases that can be gone back to: they stay, whatever their age. */
      keep: Type.Optional(Type.Array(RenderHash, { maxItems: 200 })),
      ...StackStart,
    },
    strict,
  ),
  result: Type.Object(StackUpResult, strict),
  deadlineMs: 60 * 60_000,
  lock: data => `swarm:${data.stack}`,
  async run(hands, data) {
    const { app, stack, keep = [] } = data
    await requireManager(hands)
    const shelf = shelfOf(hands.host, stack)
    const draft = await readStack(hands, stack, data.render)
    await refuseForbiddenStack(hands, stack, { hash: data.render, model: draft })
    await refuseForeignNames(hands, { app, name: stack, kind: 'stack', shelf, model: draft })
    await claimProject(hands, shelf, { ...draft[OWN_KEY], app })
    const model = draft[OWN_KEY].isFinal ? draft : await withPins(hands, { ...data, draft })
    const hash = await keepRender(hands, shelf, { text: renderText(model) })
    const services = await bringStackUp(hands, { ...data, model, hash })
    await pruneRenders(hands, shelf, { current: [hash, ...keep], most: RENDERS_KEPT })
    return { render: hash, services, ...releasedParts(model, services) }
  },
})

export function releasedParts(model: StackModel, services: readonly SwarmServiceData[]) {
  return {
    fingerprints: Object.fromEntries(services.map(each => [each.name, each.fingerprint])),
    images: Object.fromEntries(wishesOf(model).map(each => [each.name, each.image])),
  }
}

interface Pinning {
  readonly app: string
  readonly stack: string
  readonly draft: StackModel
  readonly content: Readonly<Record<string, string>>
  readonly built: Readonly<Record<string, string>>
  readonly pins?: Readonly<Record<string, string>>
  readonly registries: readonly RegistryData[]
}

async function withPins(hands: Hands, pinning: Pinning): Promise<StackModel> {
  const [services, nodes] = await Promise.all([ownServices(hands, pinning), swarmNodes(hands)])
  const run = await pinStack(hands, { ...pinning, services, nodes: nodes.length })
  return withStackImages(pinning.draft, { content: pinning.content, run })
}
