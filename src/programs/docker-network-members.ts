import type { EngineRequest } from '#exec/call.ts'
import type { Refused } from './docker-containers.ts'
import { dockerEngine, engineMessage, SLOW_MS } from './docker-engine.ts'

/**
 * Gives a container an address in one more network; undefined when done. No alias goes with it: on a network that
 * many apps share, the names of services would otherwise answer for the services of other apps.
 */
export function joinNetwork(
  socket: string,
  network: string,
  member: { readonly container: string; readonly ip: string },
): EngineRequest<Refused | undefined> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'POST',
    path: `/networks/${encodeURIComponent(network)}/connect`,
    body: { Container: member.container, EndpointConfig: { IPAMConfig: { IPv4Address: member.ip } } },
    timeoutMs: SLOW_MS,
    ok: 'any',
    read: answer =>
      answer.status === 200 ? undefined : { refused: engineMessage(answer), status: answer.status },
  }
}

/** A container that is not in it, or gone, is no error. */
export function leaveNetwork(socket: string, network: string, container: string): EngineRequest<void> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'POST',
    path: `/networks/${encodeURIComponent(network)}/disconnect`,
    body: { Container: container, Force: true },
    timeoutMs: SLOW_MS,
    ok: [200, 403, 404, 500],
    read: () => undefined,
  }
}
