import type { EngineRequest, StreamEvent } from '#exec/call.ts'
import { dockerEngine, QUICK_MS } from './docker-engine.ts'

export interface LogWish {
  readonly id: string
  /** Only the last lines; default: all. */
  readonly tail?: number
  /** Stay until the container ends. */
  readonly follow?: boolean
  /** Only what was printed after, in seconds since 1970. */
  readonly since?: string
  /** Only what was printed before, in seconds since 1970. */
  readonly until?: string
  readonly timeoutMs?: number
  readonly onLine: (text: string, stream: 'stdout' | 'stderr') => void
}

export function containerLog(socket: string, wish: LogWish): EngineRequest<void> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: `/containers/${encodeURIComponent(wish.id)}/logs`,
    query: {
      stdout: true,
      stderr: true,
      tail: wish.tail,
      follow: wish.follow === true,
      since: wish.since,
      until: wish.until,
    },
    timeoutMs: wish.timeoutMs ?? QUICK_MS,
    ok: [200],
    stream: { format: 'docker-log', onEvent: event => passLine(event, wish) },
    read: () => undefined,
  }
}

function passLine(event: StreamEvent, wish: LogWish): void {
  if (event.kind === 'line') {
    wish.onLine(event.text, event.stream)
  }
}
