import type { FastifyReply } from 'fastify'
import type { Clock } from '#lib/clock.ts'

/** Proxies and clients give up on a silent connection after a minute or so. */
const HEARTBEAT_MS = 15_000
/** A client that does not read is cut off; it comes back with Last-Event-ID. */
const MOST_WAITING_BYTES = 1024 * 1024

export interface StreamEvent {
  readonly id?: string | number
  readonly event?: string
  readonly data: unknown
}

/** One server-sent event stream. */
export interface EventStream {
  send(event: StreamEvent): void
  /** Resolves when the client has read enough to send more. */
  drained(): Promise<void>
  end(): void
  /** Aborted when the client has gone or the stream was ended. */
  readonly signal: AbortSignal
}

/** Something that goes on after its request, until one side ends it. */
export type Open = Pick<EventStream, 'end' | 'signal'>

/** All that goes on after its request, so that a shutdown ends it. */
export interface Streams {
  open(reply: FastifyReply): EventStream
  hold(open: Open): void
  close(): void
}

export function createStreams(clock: Clock): Streams {
  const open = new Set<Open>()
  function hold(each: Open): void {
    open.add(each)
    each.signal.addEventListener('abort', () => open.delete(each))
  }
  return {
    open(reply) {
      const stream = openStream(reply, clock)
      hold(stream)
      return stream
    },
    hold,
    close() {
      for (const stream of open) {
        stream.end()
      }
    },
  }
}

function openStream(reply: FastifyReply, clock: Clock): EventStream {
  const { raw } = reply
  const gone = new AbortController()
  reply.hijack()
  raw.writeHead(200, {
    ...reply.getHeaders(),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // Nginx would hold events back.
    'x-accel-buffering': 'no',
  } as Record<string, string>)
  raw.write('retry: 2000\n\n')
  const heartbeat = clock.every(HEARTBEAT_MS, () => raw.write(': still here\n\n'))
  raw.on('close', () => {
    heartbeat.close()
    gone.abort()
  })
  return {
    signal: gone.signal,
    send({ id, event, data }) {
      if (gone.signal.aborted) {
        return
      }
      const head = `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}`
      raw.write(`${head}data: ${JSON.stringify(data)}\n\n`)
      if (raw.writableLength > MOST_WAITING_BYTES) {
        raw.destroy()
      }
    },
    async drained() {
      if (!raw.writableNeedDrain || gone.signal.aborted) {
        return
      }
      const { promise, resolve } = Promise.withResolvers<void>()
      raw.once('drain', resolve)
      raw.once('close', resolve)
      await promise
      raw.off('drain', resolve)
      raw.off('close', resolve)
    },
    end() {
      gone.abort()
      raw.end()
    },
  }
}
