import type { EngineRequest } from '#exec/call.ts'
import { dockerEngine, filters, QUICK_MS } from './docker-engine.ts'

/** How a container ended for the first time. */
export interface FirstExit {
  readonly exitCode: number
  readonly outOfMemory: boolean
  /** Seconds since 1970, as the engine takes them for a limit. */
  readonly at: string
}

interface RawEvent {
  Action?: string
  timeNano?: number
  Actor?: { Attributes?: { exitCode?: string } }
}

/**
 * Reads from the engine's memory how a container ended first: by the time anybody looks, it may run again and its
 * state tells nothing of the end. Undefined when the engine does not remember. `now` is in ms since 1970.
 */
export function firstExit(socket: string, id: string, now: number): EngineRequest<FirstExit | undefined> {
  const events: RawEvent[] = []
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: '/events',
    query: {
      since: 1,
      until: (now / 1000).toFixed(3),
      filters: filters({ type: ['container'], container: [id], event: ['start', 'die', 'oom'] }),
    },
    timeoutMs: QUICK_MS,
    ok: [200],
    stream: {
      format: 'json-lines',
      onEvent: event => {
        if (event.kind === 'json') {
          events.push((event.value ?? {}) as RawEvent)
        }
      },
    },
    read: () => readExit(events),
  }
}

function readExit(events: readonly RawEvent[]): FirstExit | undefined {
  const die = events.findIndex(event => event.Action === 'die')
  const end = events[die]
  if (!end) {
    return undefined
  }
  // What the engine hears of the memory may come after the end that it was the reason of.
  const again = events.findIndex(({ Action }, index) => index > die && Action === 'start')
  return {
    exitCode: Number(end.Actor?.Attributes?.exitCode ?? 0),
    outOfMemory: events.slice(0, again === -1 ? undefined : again).some(event => event.Action === 'oom'),
    at: (Math.ceil((end.timeNano ?? 0) / 1000) / 1e6).toFixed(6),
  }
}
