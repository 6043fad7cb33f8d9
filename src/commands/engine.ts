import type { EngineFacts, HostFacts } from './command.ts'
import { ENGINE_NOT_FOR_APP, ENGINE_UNKNOWN } from './engine-errors.ts'
import { pathFits } from './path-pattern.ts'

/** The engine of the worker's own host, which every app is on that says nothing else. */
export const LOCAL_ENGINE = 'local'

/** The host as a command for an app on one of its engines sees it. */
export function hostOn(
  host: HostFacts,
  told: { readonly engine?: string | undefined; readonly params: unknown } | undefined,
): HostFacts {
  const { engine = LOCAL_ENGINE, params } = told ?? {}
  if (engine === LOCAL_ENGINE) {
    return host
  }
  const found = engineNamed(host, engine)
  const app = appOf(params)
  if (app !== undefined) {
    refuseStrangerTo(found, app)
  }
  return { ...host, engine: found, dockerSocket: found.address }
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

/** What a repository may choose is for the owner of the host to say. */
export function refuseStrangerTo({ name, apps }: EngineFacts, app: string): void {
  if (apps && !apps.some(pattern => pathFits(app, pattern))) {
    throw ENGINE_NOT_FOR_APP(name, app)
  }
}

function appOf(data: unknown): string | undefined {
  const { app } = (data ?? {}) as { app?: unknown }
  return typeof app === 'string' ? app : undefined
}
