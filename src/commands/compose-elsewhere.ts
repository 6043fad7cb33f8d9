import type { HostFacts } from './command.ts'
import { ENGINE_HAS_NO_FILES, ENGINE_HAS_NO_ROUTES } from './engine-errors.ts'

/** Containers get their place in the proxy's network after they were made, when no port can be published any more. */
export function refuseRoutes(
  { engine }: Pick<HostFacts, 'engine'>,
  routes: readonly { readonly service: string }[],
): void {
  if (engine && routes.length > 0) {
    throw ENGINE_HAS_NO_ROUTES(
      engine.name,
      routes.map(each => each.service),
    )
  }
}

/** What containers mount is on this machine. */
export function refuseFiles(
  { engine }: Pick<HostFacts, 'engine'>,
  { mounts, hasValues }: { readonly mounts: Readonly<Record<string, string>>; readonly hasValues: boolean },
): void {
  const paths = [...Object.keys(mounts), ...(hasValues ? ['values of secrets and configs'] : [])]
  if (engine?.address.startsWith('tcp://') && paths.length > 0) {
    throw ENGINE_HAS_NO_FILES(engine.name, paths)
  }
}
