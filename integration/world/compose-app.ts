import { startProxy } from '#cli/demo/proxy.ts'
import type { Hands } from '#commands/command.ts'
import { commandNamed } from '#commands/index.ts'
import { newId } from '#lib/id.ts'
import { fill } from '#manager/pipeline/fill.ts'
import { compose } from '#targets/compose.ts'
import type { ComposeSettings } from '#targets/compose-settings.ts'
import type { Plan, RegistryFacts, ReleaseFacts, Target, Tell } from '#targets/target.ts'
import type { ContainerWorld } from './container-world.ts'
import type { Visitor } from './load.ts'

export interface Deployed {
  readonly plan: Plan
  readonly results: ReadonlyMap<string, Record<string, unknown>>
  readonly error?: unknown
}

export interface TargetApp<S> {
  deploy(texts: Readonly<Record<string, string>>, options?: DeployOptions): Promise<Deployed>
  /** From then on these settings hold too. */
  change(settings: S, secrets?: Readonly<Record<string, string>>): void
  /** Of the last deployment that succeeded. */
  release(): ReleaseFacts | undefined
  remove(): Promise<void>
}

export interface DeployOptions {
  /** The manager dies before it tells this one. */
  readonly dieBefore?: string
  /** A release to go back to. */
  readonly goal?: ReleaseFacts | undefined
}

/** What a manager does with a target, without a manager: ask, decide, tell, and undo when something fails. */
export function startComposeApp(
  world: ContainerWorld,
  options: { settings: ComposeSettings; hands?: Hands },
): TargetApp<ComposeSettings> {
  return startTargetApp(world, compose, options)
}

export interface TargetAppOptions<S> {
  readonly settings: S
  readonly hands?: Hands
  readonly registry?: RegistryFacts
  readonly secrets?: Readonly<Record<string, string>>
  /** Default: the world's. */
  readonly name?: string
}

/** The same for any target. */
export function startTargetApp<S extends object>(
  world: ContainerWorld,
  target: Target,
  { settings, hands = world.hands, registry, secrets = {}, name = world.app }: TargetAppOptions<S>,
): TargetApp<S> {
  let previous: ReleaseFacts | undefined
  let wanted = settings
  let values = secrets
  const app = { name, baseDomain: 'localhost' }
  const run = async ({ command, data }: Tell) =>
    (await commandNamed(command).run(hands, data as never)) as Record<string, unknown>

  async function decide(texts: Readonly<Record<string, string>>, goal?: ReleaseFacts) {
    const commit = await world.commit(texts)
    const found: Record<string, unknown> = {}
    const source = { commit, branch: 'main', repository: 'shop', texts, paths: Object.keys(texts) }
    const input = {
      ...{
        app,
        settings: { ...wanted } as Record<string, unknown>,
        deployment: newId(),
        source,
        found,
        previous,
      },
      registry,
      secrets: values,
      ...(goal ? { goal } : {}),
    }
    for (;;) {
      const news = target.look(input).filter(each => !(each.key in found))
      if (news.length === 0) {
        return { commit, plan: target.plan(input) }
      }
      for (const each of news) {
        found[each.key] = await run(each)
      }
    }
  }

  return {
    async deploy(texts, { dieBefore, goal } = {}) {
      const { commit, plan } = await decide(texts, goal)
      const results = new Map<string, Record<string, unknown>>()
      const steps = [plan.build, plan.push, plan.apply, plan.verify, plan.route, plan.watch, plan.prune]
      try {
        for (const each of steps.flat()) {
          if (each.key === dieBefore) {
            return { plan, results }
          }
          results.set(each.key, await run({ ...each, data: fill(each.data, results) }))
        }
      } catch (error) {
        for (const each of plan.undo) {
          results.set(each.key, await run(each))
        }
        return { plan, results, error }
      }
      previous = { id: newId(), commit, configHash: '', content: fill(plan.release, results) }
      return { plan, results }
    },
    change(settings, secrets = values) {
      wanted = { ...wanted, ...settings }
      values = secrets
    },
    release: () => previous,
    async remove() {
      for (const each of target.remove({ app, volumes: 'delete' })) {
        await run(each)
      }
    },
  }
}

export interface RoutedHands {
  readonly hands: Hands
  /** Eight: HTTP and HTTPS, over connections that are kept and over fresh ones. */
  visitors(host: string): Promise<Visitor[]>
}

/** The world's hands with a real proxy. */
export async function withProxy(stack: AsyncDisposableStack, world: ContainerWorld): Promise<RoutedHands> {
  const proxy = await startProxy({ folder: `${world.folder}/proxy` })
  stack.defer(proxy.close)
  const facts = {
    adminOrigin: proxy.adminUrl,
    httpPort: proxy.httpPort,
    httpsPort: proxy.httpsPort,
    resolver: world.switchboard.resolver,
  }
  return {
    hands: { ...world.hands, host: { ...world.hands.host, proxy: facts } },
    async visitors(host) {
      const ca = await proxy.rootCertificate()
      const kinds = (['http', 'https'] as const).flatMap(scheme =>
        (['kept', 'fresh'] as const).map(connections => ({
          ...{ scheme, connections, host, ca },
          port: scheme === 'http' ? proxy.httpPort : proxy.httpsPort,
        })),
      )
      return [...kinds, ...kinds]
    },
  }
}
