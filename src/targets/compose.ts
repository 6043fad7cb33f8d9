import { composeDown, composeObserve, composeRecall, composeRender, composeStop } from '#commands/compose.ts'
import { COMPOSE_RENDER_GONE } from '#commands/compose-errors.ts'
import { containerUsage } from '#commands/container-usage.ts'
import { imageFind, imagePrune } from '#commands/image.ts'
import { routeObserve, routeRemove } from '#commands/route.ts'
import { contentTells } from './built-images.ts'
import { defaultRoutes } from './compose-default-routes.ts'
import { foundOf, type Recalled } from './compose-found.ts'
import { imagesOf, releasedImages } from './compose-goal.ts'
import { planCompose } from './compose-plan.ts'
import { proofTells } from './compose-proof.ts'
import { readRelease, releasedRender } from './compose-release.ts'
import { ComposeSettings } from './compose-settings.ts'
import { type ComposeWants, domainsOf, filesOf, wantsOf } from './compose-wants.ts'
import { followedWith } from './followed-tags.ts'
import { openingsOf } from './published.ts'
import { refuseFiles } from './refuse-files.ts'
import { RELEASE_IMAGE_UNKNOWN } from './release-errors.ts'
import {
  defineTarget,
  type LookInput,
  type ReleaseFacts,
  type SourceFacts,
  type Target,
  type Tell,
  tell,
} from './target.ts'

/** As docker compose looks for them. */
const FILES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml']

export const compose: Target = defineTarget({
  name: 'compose',
  summary: 'Runs a Docker Compose project; only changed services are touched.',
  settings: ComposeSettings,
  detect,
  reads: filesOf,
  domains: domainsOf,
  opens: ({ ports = [] }) => openingsOf(ports.map(each => ({ ...each, open: true }))),
  images: imagesOf,
  usage: containerUsage.name,
  follows: release => {
    const { followed, pinned } = readRelease(release)
    return followedWith(followed, pinned)
  },
  settle: (settings, { texts }) => ({
    ...settings,
    routes: settings.routes ?? defaultRoutes(filesOf(settings), texts),
  }),
  look,
  plan: planCompose,
  stop: (app, release) => [
    tell('stop', composeStop, { app: app.name }),
    ...(readRelease(release).routes ?? []).map(name => tell(`unroute:${name}`, routeRemove, { name })),
  ],
  remove: ({ app, volumes, moved }) => [
    tell('down', composeDown, { app: app.name, volumes, ...(moved ? { moved } : {}) }),
    tell('images', imagePrune, { app: app.name, keep: [], keepLast: 0 }),
  ],
})

function detect(source: SourceFacts, composePath?: string): ComposeSettings | undefined {
  const file = composePath ?? FILES.find(name => source.paths.includes(name))
  if (file === undefined) {
    return undefined
  }
  return { files: [file], routes: defaultRoutes([file], source.texts) }
}

/** First the configuration, the containers and the routes; then built services' images by content; then whether it answers. */
function look(input: LookInput<ComposeSettings>): readonly Tell[] {
  const { found, goal } = input
  const wants = wantsOf(input)
  const names = [
    ...new Set([...wants.routes.map(route => route.name), ...(readRelease(input.previous).routes ?? [])]),
  ]
  const around = [
    tell('containers', composeObserve, { project: wants.project }),
    ...(names.length > 0 ? [tell('routes', routeObserve, { names })] : []),
  ]
  if (goal) {
    const { release } = (found.recalled ?? {}) as Recalled
    return [...goalTells(input, goal), ...around, ...(release || found.render ? proofTells(input) : [])]
  }
  const first = [renderTell(input, wants), ...around]
  if (!found.render) {
    const { files, project, variables, secrets } = wants
    const names = Object.keys({ ...variables, ...secrets })
    const routes = wants.routes.map(({ service, port }) => ({ service, port }))
    const { rules, source } = input
    refuseFiles({ files, texts: source.texts, project, variables: names, routes, rules })
    return first
  }
  const images = imageTells(input, wants)
  const isComplete = images.every(({ key }) => key in found)
  return [...first, ...images, ...(isComplete ? proofTells(input) : [])]
}

function renderTell({ app, source, previous }: LookInput<ComposeSettings>, wants: ComposeWants): Tell {
  const before = releasedRender(previous, wants.project)
  return tell('render', composeRender, {
    app: app.name,
    project: wants.project,
    repository: source.repository,
    commit: source.commit,
    files: [...wants.files],
    variables: { ...wants.variables },
    secrets: { ...wants.secrets },
    routes: wants.routes.map(({ service, port }) => ({ service, port })),
    sharedVolumes: [...wants.sharedVolumes],
    ...(before === undefined ? {} : { previous: before }),
  })
}

/** What the host kept of the release, and whether its images are still to be had. */
function goalTells(input: LookInput<ComposeSettings>, goal: ReleaseFacts): Tell[] {
  const { app, registry, found } = input
  const { project, render } = readRelease(goal)
  if (project === undefined || typeof render !== 'string') {
    throw RELEASE_IMAGE_UNKNOWN(app.name, goal.commit)
  }
  const images = releasedImages(goal, registry)
  const wants = wantsOf(input)
  return [
    tell('recalled', composeRecall, { project, render, sharedVolumes: [...wants.sharedVolumes] }),
    ...(found.recalled && !(found.recalled as Recalled).release ? anewTells(input, wants) : []),
    ...(images.length > 0 ? [tell('released', imageFind, { images: [...images] })] : []),
  ]
}

/** The same from the commit, when the host has lost it: with the settings and secrets of the release. */
function anewTells(input: LookInput<ComposeSettings>, wants: ComposeWants): Tell[] {
  const { checkout, found, goal } = input
  if (!checkout) {
    throw COMPOSE_RENDER_GONE(wants.project, String(readRelease(goal).render))
  }
  return [checkout, ...(checkout.key in found ? [renderTell(input, wants)] : [])]
}

function imageTells(
  { app, source, found }: LookInput<ComposeSettings>,
  wants: ComposeWants,
): readonly Tell[] {
  const { rendered } = foundOf({ containers: { containers: [] }, ...found })
  return contentTells({ app, source, services: rendered.services, registry: wants.registry })
}
