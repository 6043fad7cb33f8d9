import type { EngineRequest } from '#exec/call.ts'
import { dockerEngine, QUICK_MS } from './docker-engine.ts'

/** A container as the engine's list has it: enough to see whose it is, without asking for each. */
export interface ListedContainer {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  readonly imageId: string
}

/** Every container of the host, running or not. */
export function listEveryContainer(socket: string): EngineRequest<readonly ListedContainer[]> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: '/containers/json',
    query: { all: true },
    timeoutMs: QUICK_MS,
    ok: [200],
    read: answer =>
      (
        (answer.json ?? []) as { Id?: string; Labels?: Record<string, string> | null; ImageID?: string }[]
      ).map(({ Id = '', Labels, ImageID = '' }) => ({ id: Id, labels: Labels ?? {}, imageId: ImageID })),
  }
}
