import type { EngineRequest } from '#exec/call.ts'
import type { Refused } from './docker-containers.ts'
import { dockerEngine, engineMessage, QUICK_MS } from './docker-engine.ts'
import { type OneFile, oneFileTar } from './one-file-tar.ts'

/** Puts a small file into a folder of a container; undefined when it is there. */
export function putFile(
  socket: string,
  { id, folder, file }: { readonly id: string; readonly folder: string; readonly file: OneFile },
): EngineRequest<Refused | undefined> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'PUT',
    path: `/containers/${encodeURIComponent(id)}/archive`,
    query: { path: folder, noOverwriteDirNonDir: true },
    headers: { 'content-type': 'application/x-tar' },
    body: oneFileTar(file),
    timeoutMs: QUICK_MS,
    ok: 'any',
    read: answer =>
      answer.status === 200 ? undefined : { refused: engineMessage(answer), status: answer.status },
  }
}
