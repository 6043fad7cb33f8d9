import type { EngineRequest } from '#exec/call.ts'
import { type RegistryAccess, registryEngine, registryHost } from './registry.ts'

const ANSWER_MS = 10_000

/** Status of the API's root: 200 for who may use it, 401 for everybody else. */
export function askRoot(registry: RegistryAccess): EngineRequest<number> {
  return {
    kind: 'request',
    engine: registryEngine(registry, undefined),
    method: 'GET',
    path: '/v2/',
    headers: registryHost(registry),
    timeoutMs: ANSWER_MS,
    ok: 'any',
    read: answer => answer.status,
  }
}
