import { posix } from 'node:path'
import { containerLogs, containerObserve, containerRemove } from '#commands/container.ts'
import { containerUsage } from '#commands/container-usage.ts'
import { imageFind, imagePrune } from '#commands/image.ts'
import { notebookExamine } from '#commands/notebook-examine.ts'
import { repositoryChanges } from '#commands/repository.ts'
import { routeObserve, routeRemove } from '#commands/route.ts'
import { proofOf } from './container-proof.ts'
import { imagesOf, releasedHosts, releasedImageOf } from './container-release.ts'
import { examinedOf } from './notebook-found.ts'
import { notebookDomains } from './notebook-place.ts'
import { decideNotebook, planNotebook, wishOf } from './notebook-plan.ts'
import { releasedNotebook } from './notebook-release.ts'
import { NotebookTargetSettings } from './notebook-settings.ts'
import { folderOf, notebookWantsOf } from './notebook-wants.ts'
import { defineTarget, type LookInput, type Target, type Tell, tell } from './target.ts'

/** For requests that are still being answered when an app has moved. */
const DRAIN_MS = 5_000

type Input = LookInput<NotebookTargetSettings>

export const notebook: Target = defineTarget({
  name: 'notebook',
  summary:
    'Serves the notebooks of a folder with an environment of their own; a changed notebook needs no build.',
  settings: NotebookTargetSettings,
  // Its projects are found by a scan of the worker, which sees more than paths.
  detect: () => undefined,
  reads: () => [],
  domains: notebookDomains,
  settle: settings => settings,
  images: imagesOf,
  logs: containerLogs.name,
  usage: containerUsage.name,
  look,
  plan: planNotebook,
  stop: app => [
    tell('containers', containerRemove, { app: app.name, keep: [], drainMs: 0 }),
    tell('route', routeRemove, { name: app.name }),
  ],
  remove: ({ app, volumes, moved }) => [
    tell('containers', containerRemove, { app: app.name, keep: [], drainMs: moved ? DRAIN_MS : 0, volumes }),
    tell('images', imagePrune, { app: app.name, keep: [], keepLast: 0, environments: true }),
    ...(moved ? [] : [tell('route', routeRemove, { name: app.name })]),
  ],
})

/** The project, its containers and its route at once; then why its environment is another one, and whether it answers. */
function look(input: Input): readonly Tell[] {
  const { app, goal, found } = input
  const { hosts, run } = notebookWantsOf(input)
  const { health, port } = run
  const isRouted = hosts.length > 0 || releasedHosts(input.previous).length > 0
  return [
    goal
      ? tell('image', imageFind, { images: [releasedImageOf(input, goal)] })
      : tell('examined', notebookExamine, wishOf(input)),
    tell('containers', containerObserve, { app: app.name, health, ...(port === undefined ? {} : { port }) }),
    ...(isRouted ? [tell('routes', routeObserve, { names: [app.name] })] : []),
    ...changedInputs(input),
    ...(found.containers ? proof(input) : []),
  ]
}

function proof(input: Input): readonly Tell[] {
  return proofOf(decideNotebook({ ...input, found: { ...input.found, answers: undefined } }))
}

/** Which files made the environment another one: asked only when it is. */
function changedInputs(input: Input): readonly Tell[] {
  const { previous, source, settings } = input
  const examined = examinedOf(input)
  const before = releasedNotebook(previous)
  const key = examined?.environment?.key
  if (!previous || !examined || !before || key === undefined || before.environment === key) {
    return []
  }
  const folder = folderOf(settings)
  const watch = examined.inputs.slice(0, 100).map(each => posix.join(folder, each))
  return watch.length === 0 || watch.some(each => each.startsWith('..'))
    ? []
    : [
        tell('inputs', repositoryChanges, {
          repository: source.repository,
          from: previous.commit,
          to: source.commit,
          watch,
          ignore: [],
        }),
      ]
}
