import { addressOf, authorization, errorOf } from './client.ts'

export interface StreamEvent {
  readonly id: string | undefined
  readonly name: string
  readonly data: string
}

export interface StreamOptions {
  readonly query?: Readonly<Record<string, string | number | boolean>>
  readonly signal: AbortSignal
  onEvents(events: readonly StreamEvent[]): void
  onState?(state: 'open' | 'lost'): void
  /** An event of this name ends the stream; else it is opened again from where it was. */
  readonly endsWith?: string
}

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 15_000

/**
 * A stream of server-sent events that is opened again where it broke. The browser's own EventSource cannot send a token.
 * Events that arrive together are given together, so that a long log is no thousand updates.
 */
export async function followStream(path: string, options: StreamOptions): Promise<void> {
  const { signal, query } = options
  let lastId: string | undefined
  let waitMs = FIRST_WAIT_MS
  while (!signal.aborted) {
    try {
      const response = await fetch(addressOf(path, query), {
        headers: {
          ...authorization(),
          accept: 'text/event-stream',
          ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
        },
        signal,
      })
      if (!response.ok || !response.body) {
        throw await errorOf(response)
      }
      options.onState?.('open')
      waitMs = FIRST_WAIT_MS
      for await (const events of eventsOf(response.body)) {
        lastId = events.findLast(event => event.id !== undefined)?.id ?? lastId
        options.onEvents(events)
        if (events.some(event => event.name === options.endsWith)) {
          return
        }
      }
    } catch (error) {
      if (signal.aborted) {
        return
      }
      if (isFinal(error)) {
        throw error
      }
    }
    options.onState?.('lost')
    await pause(waitMs, signal)
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)
  }
}

/** What asking again would not change. */
function isFinal(error: unknown): boolean {
  const status = (error as { status?: number }).status
  return status !== undefined && status >= 400 && status < 500 && status !== 429
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent[]> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) {
      return
    }
    const blocks = (rest + value).split('\n\n')
    rest = blocks.pop() ?? ''
    const events = blocks.flatMap(parseEvent)
    if (events.length > 0) {
      yield events
    }
  }
}

/** One block of a stream; nothing for a comment that only keeps the connection open. */
export function parseEvent(block: string): StreamEvent[] {
  const data: string[] = []
  let id: string | undefined
  let name = 'message'
  for (const line of block.split('\n')) {
    const [, field, value = ''] = /^(\w+): ?(.*)$/s.exec(line) ?? []
    if (field === 'data') {
      data.push(value)
    } else if (field === 'event') {
      name = value
    } else if (field === 'id') {
      id = value
    }
  }
  return data.length === 0 ? [] : [{ id, name, data: data.join('\n') }]
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(done => {
    const timer = setTimeout(done, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        done()
      },
      { once: true },
    )
  })
}
