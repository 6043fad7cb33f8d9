import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Clock } from '#lib/clock.ts'
import { NOTHING_HERE } from './proxy.ts'

export interface Site {
  /** Port of the proxy on this machine. */
  readonly port: number
  /** Host name, sent as Host header. */
  readonly host: string
}

export interface Page {
  readonly status: number
  readonly body: string
}

/** Everybody who asks at a steady pace while something is changed. */
export interface Visitors {
  readonly requests: number
  /** What each failed request met with. */
  readonly failures: readonly string[]
  /** Ends it; resolves when the last answer is there. */
  stop(): Promise<void>
}

const PATIENCE_MS = 5_000
const ASK_AGAIN_MS = 10
const ANSWERS_WITHIN_MS = 15_000

/**
 * Sends one request every 1000 / `perSecond` ms, each over a connection of its own, whether or not others wait. One
 * that is answered with another status than `status` (default 200) failed.
 */
export function startVisitors(
  site: Site,
  options: { readonly clock: Clock; readonly perSecond: number; readonly status?: number },
): Visitors {
  const { status: wanted = 200 } = options
  const failures: string[] = []
  const open = new Set<Promise<void>>()
  let requests = 0
  const timer = options.clock.every(1_000 / options.perSecond, () => {
    requests += 1
    const visited = visit(site)
      .then(({ status }) => {
        if (status !== wanted) {
          failures.push(`status ${status}`)
        }
      })
      .catch(error => void failures.push((error as Error).message))
      .finally(() => open.delete(visited))
    open.add(visited)
  })
  return {
    failures,
    get requests() {
      return requests
    },
    async stop() {
      timer.close()
      await Promise.all(open)
    },
  }
}

/** Asks until a page with this text comes with status 200, and gives the monotonic time of that answer. */
export async function waitForPage(
  site: Site,
  content: string,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<number> {
  const { clock, signal } = options
  for (;;) {
    signal.throwIfAborted()
    const page = await visit(site).catch(() => undefined)
    if (page?.status === 200 && page.body.includes(content)) {
      return clock.monotonic()
    }
    await clock.sleep(ASK_AGAIN_MS, signal)
  }
}

/** The status with which the app itself answers; undefined when for 15 s it does not, or only with a fault of a server. */
export async function waitForAnswer(
  site: Site,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<number | undefined> {
  const deadline = clock.monotonic() + ANSWERS_WITHIN_MS
  while (clock.monotonic() < deadline) {
    const page = await visit(site).catch(() => undefined)
    if (page && page.status < 500 && !page.body.startsWith(NOTHING_HERE)) {
      return page.status
    }
    await clock.sleep(ASK_AGAIN_MS, signal)
  }
  return undefined
}

/** One GET of `/` through the proxy. */
export async function visit({ port, host }: Site): Promise<Page> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request({
    host: '127.0.0.1',
    port,
    headers: { host },
    agent: false,
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
    .on('response', resolve)
    .on('error', reject)
    .end()
  const response = await promise
  return { status: response.statusCode ?? 0, body: await text(response) }
}
