import type { CommandOwner } from '#contract/agent-frames.ts'
import type { Command, EngineFacts, HostFacts } from './command.ts'
import { ENGINE_FOR_SOME, ENGINE_NOT_FOR_APP, ENGINE_UNKNOWN } from './engine-errors.ts'
import { pathFits } from './path-pattern.ts'

/** The engine of the worker's own host, which every app is on that says nothing else. */
export const LOCAL_ENGINE = 'local'

interface Told {
  readonly engine?: string | undefined
  readonly owner?: CommandOwner | undefined
  readonly params: unknown
}

/** The host as a command sees it that is for one of its engines. Refuses one that is not for its app. */
export function hostOn(
  host: HostFacts,
  told: Told | undefined,
  command: Pick<Command, 'name' | 'looksOnly' | 'engineFree'>,
): HostFacts {
  if (!told) {
    return host
  }
  const { engine = LOCAL_ENGINE, owner, params } = told
  const found = engineNamed(host, engine)
  if (!command.engineFree) {
    refuseUse(found, command, { owner, app: appOf(params) })
  }
  return {
    ...host,
    ...(owner ? { owner } : {}),
    ...(engine === LOCAL_ENGINE ? {} : { engine: found, dockerSocket: found.address }),
  }
}

/** The same without asking whose it is. */
export function engineNamed(host: HostFacts, name: string): EngineFacts {
  const found = enginesOf(host).find(each => each.name === name)
  if (!found) {
    throw ENGINE_UNKNOWN(
      `"${name}"`,
      host.name,
      enginesOf(host).map(each => each.name),
    )
  }
  return found
}

/** The host's own first. */
export function enginesOf(host: HostFacts): readonly EngineFacts[] {
  return host.engines ?? [{ name: LOCAL_ENGINE, address: host.dockerSocket, labels: {} }]
}

/** What gives power over an engine: no container may be given it. */
export function keptFrom(host: HostFacts): readonly string[] {
  return enginesOf(host).flatMap(({ address, keys = [] }) => [address, ...keys])
}

/** What a repository may choose is for the owner of the host to say. */
export function refuseStrangerTo(engine: EngineFacts, { app, repository }: CommandOwner): void {
  if (!servesApp(engine, app)) {
    throw ENGINE_NOT_FOR_APP(engine.name, `the app "${app}"`)
  }
  if (engine.repositories && !fitsOne(repository ?? '', engine.repositories)) {
    const whose = repository === undefined ? 'has no repository' : `comes from the repository "${repository}"`
    throw ENGINE_NOT_FOR_APP(engine.name, `the app "${app}", which ${whose}`)
  }
}

/** By its name alone. */
export function servesApp({ apps }: EngineFacts, app: string): boolean {
  return !apps || fitsOne(app, apps)
}

export function servesSome({ apps, repositories }: EngineFacts): boolean {
  return apps !== undefined || repositories !== undefined
}

interface User {
  readonly owner: CommandOwner | undefined
  /** That the data of the command names. */
  readonly app: string | undefined
}

/** Looking does no harm, unless it is at an app that has no business there. */
function refuseUse(
  engine: EngineFacts,
  { name, looksOnly }: Pick<Command, 'name' | 'looksOnly'>,
  { owner, app }: User,
): void {
  if (!servesSome(engine)) {
    return
  }
  if (app !== undefined && !servesApp(engine, app)) {
    throw ENGINE_NOT_FOR_APP(engine.name, `the app "${app}"`)
  }
  if (owner) {
    refuseStrangerTo(engine, owner)
  } else if (!looksOnly) {
    throw ENGINE_FOR_SOME(engine.name, name)
  }
}

function fitsOne(name: string, patterns: readonly string[]): boolean {
  return patterns.some(pattern => pathFits(name, pattern))
}

function appOf(data: unknown): string | undefined {
  const { app } = (data ?? {}) as { app?: unknown }
  return typeof app === 'string' ? app : undefined
}
