import { DOCKER_SOCKET, listFromEngine } from '#cli/demo/engine.ts'

interface EngineContainer {
  readonly Id: string
  readonly State: string
}

/** The containers of an app, by id and state: equal before and after means that nothing was left behind or touched. */
export async function engineFacts(app: string): Promise<readonly string[]> {
  const containers = await listFromEngine<EngineContainer>(DOCKER_SOCKET, '/containers/json', {
    label: [`io.fairlead.app=${app}`],
  })
  return containers.map(({ Id, State }) => `${Id.slice(0, 12)} ${State}`).sort()
}
