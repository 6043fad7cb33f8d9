import type { EngineRequest } from '#exec/call.ts'
import { dockerEngine, QUICK_MS } from './docker-engine.ts'

/** How a container of an image runs when nobody says otherwise. */
export interface ImageContract {
  readonly user: string
  /** `8888/tcp` */
  readonly ports: readonly string[]
  /** Entrypoint and command. */
  readonly command: readonly string[]
}

export function inspectContract(socket: string, reference: string): EngineRequest<ImageContract> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: `/images/${encodeURI(reference)}/json`,
    timeoutMs: QUICK_MS,
    ok: [200],
    read: ({ json }) => {
      const { Config } = (json ?? {}) as RawImage
      return {
        user: Config?.User ?? '',
        ports: Object.keys(Config?.ExposedPorts ?? {}),
        command: [...(Config?.Entrypoint ?? []), ...(Config?.Cmd ?? [])],
      }
    },
  }
}

interface RawImage {
  Config?: {
    User?: string
    ExposedPorts?: Record<string, unknown> | null
    Entrypoint?: string[] | null
    Cmd?: string[] | null
  }
}
