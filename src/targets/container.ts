import { containerObserve, containerRemove } from '#commands/container.ts'
import { imageContent, imagePrune } from '#commands/image.ts'
import { routeObserve, routeRemove } from '#commands/route.ts'
import { exposedPort } from '#programs/dockerfile.ts'
import { planContainer } from './container-plan.ts'
import { ContainerSettings } from './container-settings.ts'
import { dockerfileOf, domainsOf, wantsOf } from './container-wants.ts'
import { defineTarget, type LookInput, type SourceFacts, type Tell, type Target, tell } from './target.ts'

export const container: Target = defineTarget({
  name: 'container',
  summary: 'Builds a Dockerfile and runs it as one container behind the proxy, replaced without a gap.',
  settings: ContainerSettings,
  detect,
  reads: settings => [dockerfileOf(settings)],
  domains: domainsOf,
  look,
  plan: planContainer,
  remove: ({ app, volumes }) => [
    tell('route', routeRemove, { name: app.name }),
    tell('containers', containerRemove, { app: app.name, keep: [], drainMs: 0, volumes }),
    tell('images', imagePrune, { app: app.name, keep: [], keepLast: 0 }),
  ],
})

function detect(source: SourceFacts): ContainerSettings | undefined {
  if (!source.paths.includes('Dockerfile')) {
    return undefined
  }
  const port = exposedPort(source.texts.Dockerfile ?? '')
  return port === undefined ? {} : { port }
}

/** Everything is asked at once: the images by their content, the containers, and the route. */
function look(input: LookInput<ContainerSettings>): readonly Tell[] {
  const { app, source, registry } = input
  const { image } = wantsOf(input)
  return [
    tell('content', imageContent, {
      repository: source.repository,
      commit: source.commit,
      images: [{ key: app.name, ...image, secretNames: [...image.secretNames], ...(registry ? { registry } : {}) }],
    }),
    tell('containers', containerObserve, { app: app.name }),
    tell('routes', routeObserve, { names: [app.name] }),
  ]
}
