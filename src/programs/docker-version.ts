import type { EngineRequest } from '#exec/call.ts'
import { dockerEngine } from './docker-engine.ts'

export interface EngineVersion {
  readonly version: string
  /** Of its API, such as 1.41. */
  readonly api: string
  /** Go's words: `linux`. */
  readonly os: string
  /** `amd64`, `arm64` … */
  readonly arch: string
}

/** By which an engine is known, whatever address it is reached at. */
export function engineId(socket: string, timeoutMs: number): EngineRequest<string> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: '/info',
    timeoutMs,
    ok: [200],
    read: ({ json }) => String((json as { ID?: string } | undefined)?.ID ?? ''),
  }
}

/** What an engine says of itself, or an error why it cannot be asked. */
export function engineVersion(socket: string, timeoutMs: number): EngineRequest<EngineVersion> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: '/version',
    timeoutMs,
    ok: [200],
    read: ({ json }) => {
      const {
        Version = '',
        ApiVersion = '',
        Os = '',
        Arch = '',
      } = (json ?? {}) as Partial<Record<'Version' | 'ApiVersion' | 'Os' | 'Arch', string>>
      return { version: Version, api: ApiVersion, os: Os, arch: Arch }
    },
  }
}
