import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, Agent as TlsAgent } from 'node:https'
import { text } from 'node:stream/consumers'
import { systemClock } from '#lib/clock.ts'

export interface Visitor {
  readonly scheme: 'http' | 'https'
  readonly port: number
  readonly host: string
  readonly ca: string
  readonly connections: 'kept' | 'fresh'
  /** Default `/`. */
  readonly path?: string
}

export interface Visit {
  /** Monotonic ms. */
  readonly startedAt: number
  readonly endedAt: number
  readonly body: string
}

export interface Load {
  readonly visits: readonly Visit[]
  readonly failures: readonly string[]
  /** Ends it; resolves when the last visit is over. */
  stop(): Promise<void>
}

/** Between two requests of a visitor: without it the load takes a core from what is tested. */
const PAUSE_MS = 10

/** Each visitor asks again and again, one request at a time, until it is stopped. Nothing is retried. */
export function startLoad(visitors: readonly Visitor[]): Load {
  const visits: Visit[] = []
  const failures: string[] = []
  let stopped = false

  async function visitUntilStopped(visitor: Visitor): Promise<void> {
    const agent = agentFor(visitor)
    while (!stopped) {
      const startedAt = systemClock.monotonic()
      try {
        const { status, body } = await visit(visitor, agent)
        visits.push({ startedAt, endedAt: systemClock.monotonic(), body })
        if (status !== 200) {
          failures.push(`${visitor.scheme} ${visitor.connections}: status ${status}`)
        }
      } catch (error) {
        failures.push(`${visitor.scheme} ${visitor.connections}: ${(error as Error).message}`)
      }
      await systemClock.sleep(PAUSE_MS)
    }
    agent.destroy()
  }

  const all = Promise.all(visitors.map(visitUntilStopped))
  return {
    visits,
    failures,
    async stop() {
      stopped = true
      await all
    },
  }
}

function agentFor({ scheme, connections }: Visitor): Agent {
  const options = { keepAlive: connections === 'kept', maxSockets: 1 }
  return scheme === 'http' ? new Agent(options) : new TlsAgent(options)
}

export interface Page {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, unknown>>
}

/** One GET; without an agent over a connection of its own. */
export async function visit(visitor: Visitor, agent: Agent | false = false): Promise<Page> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const { scheme, port, host, ca, path = '/' } = visitor
  const signal = AbortSignal.timeout(15_000)
  const options = { host: '127.0.0.1', port, path, headers: { host }, agent, signal }
  const request =
    scheme === 'http' ? httpRequest(options) : httpsRequest({ ...options, servername: host, ca })
  request.on('response', resolve).on('error', reject).end()
  const response = await promise
  return { status: response.statusCode ?? 0, body: await text(response), headers: response.headers }
}
