import { createHash, createHmac, randomUUID } from 'node:crypto'
import { silentLogger } from '#lib/logger.ts'
import { createQueue, type Queue } from '#manager/deployments/queue.ts'
import type { TestServer } from './test-server.ts'

export const SECRET = 's3cr3t'

/** A v2 call with an empty body. */
export function timed(path: string) {
  const [timestamp, id] = [String(Math.floor(Date.now() / 1000)), randomUUID()]
  const hash = createHash('sha256').update('').digest('hex')
  const signature = `v2=${sign(['v2', 'POST', path, timestamp, id, hash].join('\n'))}`
  return { signature, headers: { 'x-signature-timestamp': timestamp, 'x-request-id': id } }
}

export function sign(text: string, key = SECRET): string {
  return createHmac('sha256', key).update(text).digest('hex')
}

/** The real queue and pipeline behind a test's server. */
export function workOn({ parts }: TestServer): Queue {
  const made = createQueue({ parts, logger: silentLogger, perHost: 2 })
  parts.events.subscribe(undefined, ({ kind }) => {
    if (kind === 'deployment') {
      made.wake()
    }
  })
  return made
}

export async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await is())) {
    await new Promise(resolve => setImmediate(resolve))
  }
}
