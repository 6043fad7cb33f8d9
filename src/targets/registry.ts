import { containerRemove } from '#commands/container.ts'
import { containerUsage } from '#commands/container-usage.ts'
import { registryForget, registryObserve, registryServe } from '#commands/registry.ts'
import type { RegistryObserved } from '#commands/registry-observe.ts'
import { RegistrySettings, registryFactsOf, registryHash, registrySecret } from './registry-settings.ts'
import {
  type Change,
  defineTarget,
  type LookInput,
  type Plan,
  type PlanInput,
  type ReleaseFacts,
  type RunImage,
  resultOf,
  type Target,
  tell,
} from './target.ts'

const WITHIN_MS = 60_000

/** The image registry that Fairlead runs itself: it is deployed, watched and repaired as every other app. */
export const registry: Target = defineTarget({
  name: 'registry',
  summary: 'Runs an image registry with TLS and a password.',
  settings: RegistrySettings,
  keepers: 'admins',
  detect: () => undefined,
  reads: () => [],
  domains: () => [],
  settle: settings => settings,
  look: input => [tell('registry', registryObserve, { app: input.app.name, access: accessOf(input) })],
  plan,
  images,
  usage: containerUsage.name,
  remove: ({ app, volumes }) => [
    tell('containers', containerRemove, { app: app.name, keep: [], drainMs: 0, volumes }),
    tell('files', registryForget, { app: app.name }),
  ],
})

function accessOf({ settings, secrets }: LookInput<RegistrySettings>) {
  return registryFactsOf(settings, secrets)
}

function plan(input: PlanInput<RegistrySettings>): Plan {
  const { app, settings, secrets, deployment, source, drifted } = input
  const { containers, fault } = input.found.registry as RegistryObserved
  const configHash = registryHash(settings, secrets)
  const present = containers.find(
    each =>
      each.configHash === configHash && each.state === 'running' && !drifted?.containers.includes(each.id),
  )
  const nothingToDo = present !== undefined && fault === null && containers.length === 1
  const lists = { build: [], push: [], route: [], watch: [], prune: [] } as const
  return {
    ...lists,
    apply: nothingToDo
      ? []
      : [
          tell('serve', registryServe, {
            app: app.name,
            deployment,
            commit: source.commit,
            configHash,
            image: withTag(settings.image),
            port: settings.port,
            access: accessOf(input),
            certificate: settings.certificate,
            key: registrySecret(secrets, 'key'),
            accounts: registrySecret(secrets, 'accounts'),
            withinMs: WITHIN_MS,
          }),
        ],
    verify: nothingToDo
      ? []
      : [
          tell('verify', registryObserve, {
            app: app.name,
            access: accessOf(input),
            must: { deployment, configHash },
          }),
        ],
    // The command brings back itself what it replaced; this is for what came between it and the end.
    undo: nothingToDo
      ? []
      : [
          tell('undo', containerRemove, {
            app: app.name,
            keep: containers.filter(({ state }) => state === 'running').map(each => each.deployment),
            drainMs: 0,
          }),
        ],
    release: {
      image: settings.image,
      imageId: nothingToDo ? present.imageId : resultOf('serve', 'imageId'),
      address: `${settings.name}:${settings.port}`,
      configHash,
    },
    changes: changesOf({ name: app.name, found: containers.length > 0, fault, nothingToDo }),
    nothingToDo,
  }
}

interface Situation {
  readonly name: string
  readonly found: boolean
  readonly fault: string | null
  readonly nothingToDo: boolean
}

function changesOf({ name, found, fault, nothingToDo }: Situation): Change[] {
  const what = `container ${name}`
  if (nothingToDo) {
    return [{ kind: 'untouched', what }]
  }
  return found
    ? [{ kind: 'recreate', what, why: fault ?? 'its settings, certificate or account changed' }]
    : [{ kind: 'add', what }]
}

function images({ content }: ReleaseFacts): RunImage[] {
  const { image, imageId } = content
  return typeof image === 'string' && typeof imageId === 'string'
    ? [{ name: 'registry', reference: image, imageId }]
    : []
}

/** Without one the engine would fetch every tag there is. */
function withTag(image: string): string {
  return /[:@]/.test(image.slice(image.lastIndexOf('/') + 1)) ? image : `${image}:latest`
}
