import type { EngineRequest } from '#exec/call.ts'
import { dockerEngine, QUICK_MS } from './docker-engine.ts'

/** What the engine does when the container ends or the engine itself was restarted. One that is gone is no error. */
export function setRestart(socket: string, id: string, policy: 'always' | 'no'): EngineRequest<void> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'POST',
    path: `/containers/${encodeURIComponent(id)}/update`,
    body: { RestartPolicy: { Name: policy } },
    timeoutMs: QUICK_MS,
    ok: [200, 404],
    read: () => undefined,
  }
}
