import type { EngineRequest } from '#exec/call.ts'
import { type RegistryAccess, registryEngine } from './registry.ts'

const ANSWER_MS = 10_000

/** Begins an upload that is never finished: says what a registry thinks of writing. */
export function beginUpload(registry: RegistryAccess, repository: string): EngineRequest<UploadAnswer> {
  return {
    kind: 'request',
    engine: registryEngine(registry, undefined),
    method: 'POST',
    path: `/v2/${repository}/blobs/uploads/`,
    timeoutMs: ANSWER_MS,
    ok: 'any',
    read: answer => ({ status: answer.status, text: answer.text, location: answer.headers.location }),
  }
}

export interface UploadAnswer {
  readonly status: number
  readonly text: string
  /** Where the upload goes on, as the registry names it. */
  readonly location: string | undefined
}

/** Sends some bytes to an upload. */
export function continueUpload(
  registry: RegistryAccess,
  location: string,
  bytes: string,
): EngineRequest<UploadAnswer> {
  return {
    ...uploadRequest(registry, location),
    method: 'PATCH',
    headers: { 'content-type': 'application/octet-stream' },
    body: bytes,
    read: answer => ({ status: answer.status, text: answer.text, location: answer.headers.location }),
  }
}

/** Ends an upload without a blob, so that nothing of it stays in the registry. */
export function cancelUpload(registry: RegistryAccess, location: string): EngineRequest<void> {
  return { ...uploadRequest(registry, location), method: 'DELETE', read: () => undefined }
}

function uploadRequest(registry: RegistryAccess, location: string) {
  const engine = registryEngine(registry, undefined)
  // A registry may name another host; the password goes to the one it belongs to.
  const url = new URL(location, engine.origin)
  return {
    kind: 'request',
    engine,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    timeoutMs: ANSWER_MS,
    ok: 'any',
  } as const
}
