import type { EngineRequest } from '#exec/call.ts'
import { dockerEngine, filters, QUICK_MS, SLOW_MS } from './docker-engine.ts'

/** Names of the volumes with these labels. */
export function listVolumes(socket: string, labels: readonly string[]): EngineRequest<readonly string[]> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: '/volumes',
    query: { filters: filters({ label: labels }) },
    timeoutMs: QUICK_MS,
    ok: [200],
    read: answer =>
      ((answer.json as { Volumes?: { Name: string }[] | null }).Volumes ?? []).map(volume => volume.Name),
  }
}

/** Deletes the data in it. In use by someone else's container: kept. */
export function removeVolume(socket: string, name: string): EngineRequest<void> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'DELETE',
    path: `/volumes/${encodeURIComponent(name)}`,
    timeoutMs: SLOW_MS,
    ok: [204, 404, 409],
    read: () => undefined,
  }
}
