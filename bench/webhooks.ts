import { createHmac, randomUUID } from 'node:crypto'
import { open } from 'node:fs/promises'
import { Agent, request as httpRequest } from 'node:http'
import { join } from 'node:path'
import type { Hook } from '#cli/demo/send-webhook.ts'
import type { Clock } from '#lib/clock.ts'
import type { Figure } from './figure.ts'

const CONNECTIONS = 50
const WARM_MS = 1000
const SEND_MS = 5000

/** P2: deliveries with ids of their own over 50 connections, each answered once it is on the disk. */
export async function measureWebhooks(
  hook: Hook,
  { clock, folder }: { clock: Clock; folder: string },
): Promise<Figure[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  try {
    await sendFor(WARM_MS, { hook, clock, agent })
    const startedAt = clock.monotonic()
    const times = await sendFor(SEND_MS, { hook, clock, agent })
    const seconds = (clock.monotonic() - startedAt) / 1000
    const sorted = times.toSorted((a, b) => a - b)
    const p50 = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
    const note = `${times.length} deliveries, all answered 202; sender and manager share the machine`
    return [
      {
        id: 'P2',
        what: 'webhooks acknowledged per second',
        value: times.length / seconds,
        unit: '/s',
        target: '>= 2000',
        note,
      },
      {
        id: 'P2',
        what: 'webhook answered, p99',
        value: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
        unit: 'ms',
        target: '<= 50',
        note: `p50 ${Math.round(p50)} ms`,
      },
      {
        id: 'P2',
        what: 'appends of 1 KiB with fsync, one after the other',
        value: await appendsPerSecond(folder, clock),
        unit: '/s',
        target: '',
        note: 'what this disk does; deliveries that come together share one fsync',
      },
    ]
  } finally {
    agent.destroy()
  }
}

async function appendsPerSecond(folder: string, clock: Clock): Promise<number> {
  await using file = await open(join(folder, 'appends'), 'a')
  const line = Buffer.alloc(1024, 'x')
  const startedAt = clock.monotonic()
  let count = 0
  while (clock.monotonic() < startedAt + WARM_MS) {
    await file.write(line)
    await file.datasync()
    count += 1
  }
  return (count / (clock.monotonic() - startedAt)) * 1000
}

interface Sending {
  readonly hook: Hook
  readonly clock: Clock
  readonly agent: Agent
}

/** ms that each delivery took. */
async function sendFor(ms: number, sending: Sending): Promise<number[]> {
  const { clock } = sending
  const end = clock.monotonic() + ms
  const times: number[] = []
  async function send(): Promise<void> {
    while (clock.monotonic() < end) {
      const startedAt = clock.monotonic()
      const status = await deliver(sending)
      if (status !== 202) {
        throw new Error(`a delivery was answered with ${status}`)
      }
      times.push(clock.monotonic() - startedAt)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, send))
  return times
}

async function deliver({ hook, agent }: Sending): Promise<number> {
  const id = randomUUID()
  const body = JSON.stringify({
    id,
    ref: 'refs/heads/main',
    before: 'a'.repeat(40),
    after: 'b'.repeat(40),
    repository: { id: 1 },
  })
  const headers = {
    'content-type': 'application/json',
    'content-length': body.length,
    'x-github-event': 'push',
    'x-github-delivery': id,
    'x-hub-signature-256': `sha256=${createHmac('sha256', hook.secret).update(body).digest('hex')}`,
  }
  const answered = Promise.withResolvers<number>()
  const request = httpRequest(hook.url, { method: 'POST', headers, agent }, answer => {
    answer.resume()
    answer.on('end', () => answered.resolve(answer.statusCode ?? 0))
  })
  request.on('error', answered.reject)
  request.end(body)
  return await answered.promise
}
