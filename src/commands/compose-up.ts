import { Type } from 'typebox'
import { shapeOf } from '#policy/shape.ts'
import { defineCommand } from './command.ts'
import { bringUp } from './compose-bring-up.ts'
import { ComposeContainer, MountName, ProjectName, Remade, RenderHash, ServiceName } from './compose-data.ts'
import { COMPOSE_IMAGE_MISSING } from './compose-errors.ts'
import { OWN_KEY, renamedImages, renderText, unbuilt, withImages } from './compose-model.ts'
import { copyMounts, mendMounts } from './compose-mounts.ts'
import { pinImages, withPins } from './compose-pins.ts'
import { claimProject, keepRender, pruneRenders, readRender } from './compose-store.ts'
import { AppName, ImageName } from './container-data.ts'
import { RegistryData } from './image-data.ts'
import { ownNames, refuseForeignNames } from './own-names.ts'
import { refuseForbiddenRender } from './stored-policy.ts'

const strict = { additionalProperties: false } as const
const RENDERS_KEPT = 12
const Milliseconds = Type.Integer({ minimum: 0, maximum: 3_600_000 })

/** How long services may take, and the credentials for their images. */
export const StartWish = {
  withinMs: Milliseconds,
  /** How long a service without a health check must run; default 2 s. */
  settleMs: Type.Optional(Milliseconds),
  /** Path that every routed service must answer with 2xx or 3xx. */
  http: Type.Optional(Type.String({ pattern: '^/[!-~]{0,1023}$' })),
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
    /** Images by digest of services whose tag means another one now, by service; others keep the one that runs. */
    pins: Type.Optional(Type.Record(ServiceName, ImageName)),
    /** Services whose new container starts beside the old one; all others take the place of what is there. */
    beside: Type.Array(ServiceName, { maxItems: 1_000 }),
    /** Configurations of releases that can be gone back to: they and what they mount stay, whatever their age. */
    keep: Type.Optional(Type.Array(RenderHash, { maxItems: 200 })),
    remade: Remade,
    /** Mounted files that were edited on the host, by the name of their content: they get it back. */
    mend: Type.Optional(Type.Array(MountName, { maxItems: 1_000 })),
    ...StartWish,
  },
  strict,
)

const UpResult = Type.Object(
  {
    /** The configuration as deployed; compose.restore brings it back. */
    render: RenderHash,
    services: Type.Array(ComposeContainer),
    /** Services whose containers were made, made anew or removed. */
    touched: Type.Array(Type.String()),
    /** Name of a route -> address of the container that it shall lead to. */
    addresses: Type.Record(Type.String(), Type.String()),
    /** Service -> image by digest, for tags of a registry; an image that was never in one has none. */
    pinned: Type.Record(Type.String(), Type.String()),
  },
  strict,
)

export const composeUp = defineCommand({
  name: 'compose.up',
  summary:
    'Starts a rendered project, beside what serves where that can be, touches only what changed, and waits until every service is healthy.',
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
    await refuseForbiddenRender(hands, {
      name: data.project,
      shelf: data.project,
      hash: data.render,
      render: draft,
    })
    const own = { ...draft, [OWN_KEY]: { ...draft[OWN_KEY], app: data.app } }
    // Without a source it is what an earlier release deployed: only names of images can have changed.
    const isReleased = own[OWN_KEY].source === undefined
    const named = isReleased ? renamedImages(own, data.images) : withImages(own, data.images)
    await refuseForeignNames(hands, { ...ownNames(data), model: draft })
    await claimProject(hands, data.project, named[OWN_KEY])
    const built = Object.keys(isReleased ? shapeOf(named.services) : data.images)
    const pinned = await pinImages(hands, { ...data, render: named, built })
    const render = withPins(named, pinned)
    await copyMounts(hands, data.project, draft[OWN_KEY])
    await mendMounts(hands, data.project, { names: data.mend ?? [], render: draft })
    const hash = await keepRender(hands, data.project, { text: renderText(render) })
    const { services, touched, addresses } = await bringUp(hands, { ...data, render, hash })
    await pruneRenders(hands, data.project, { current: [hash, ...(data.keep ?? [])], most: RENDERS_KEPT })
    return { render: hash, services, touched, addresses, pinned: { ...pinned } }
  },
})
