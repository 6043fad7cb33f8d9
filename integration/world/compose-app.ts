import { startProxy } from '#cli/demo/proxy.ts'
import type { Hands } from '#commands/command.ts'
import { commandNamed } from '#commands/index.ts'
import { newId } from '#lib/id.ts'
import { fill } from '#manager/pipeline/fill.ts'
import { compose } from '#targets/compose.ts'
import type { ComposeSettings } from '#targets/compose-settings.ts'
import type { Plan, ReleaseFacts, Tell } from '#targets/target.ts'
import type { ContainerWorld } from './container-world.ts'
import type { Visitor } from './load.ts'

export interface Deployed {
  readonly plan: Plan
  readonly results: ReadonlyMap<string, Record<string, unknown>>
  readonly error?: unknown
}

export interface ComposeApp {
  deploy(texts: Readonly<Record<string, string>>, options?: DeployOptions): Promise<Deployed>
  /** From then on these settings hold too. */
  change(settings: ComposeSettings): void
  remove(): Promise<void>
}

export interface DeployOptions {
  /** The manager dies before it tells this one. */
  readonly dieBefore?: string
}

/** What a manager does with a target, without a manager: ask, decide, tell, and undo when something fails. */
export function startComposeApp(
  world: ContainerWorld,
  { settings, hands = world.hands }: { settings: ComposeSettings; hands?: Hands },
): ComposeApp {
  let previous: ReleaseFacts | undefined
  let wanted = settings
  const app = { name: world.app, baseDomain: 'localhost' }
  const run = async ({ command, data }: Tell) =>
    (await commandNamed(command).run(hands, data as never)) as Record<string, unknown>

  async function decide(texts: Readonly<Record<string, string>>) {
    const commit = await world.commit(texts)
    const found: Record<string, unknown> = {}
    const source = { commit, branch: 'main', repository: 'shop', texts, paths: Object.keys(texts) }
    const input = {
      ...{ app, settings: { ...wanted }, deployment: newId(), source, found, previous },
      registry: undefined,
      secrets: {},
    }
    for (;;) {
      const news = compose.look(input).filter(each => !(each.key in found))
      if (news.length === 0) {
        return { commit, plan: compose.plan(input) }
      }
      for (const each of news) {
        found[each.key] = await run(each)
      }
    }
  }

  return {
    async deploy(texts, { dieBefore } = {}) {
      const { commit, plan } = await decide(texts)
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
    change(settings) {
      wanted = { ...wanted, ...settings }
    },
    async remove() {
      for (const each of compose.remove({ app, volumes: 'delete' })) {
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
