import { Readable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LogLineDocument } from '#contract/rest/deployments.ts'
import { background } from '#lib/background.ts'
import type { DeploymentLine } from '#manager/deployments/log-line.ts'
import { readDeployment } from '#manager/deployments/queries.ts'
import { timeText } from './documents.ts'
import { openStream } from './open-stream.ts'
import type { ApiParts } from './parts.ts'
import { headerOf } from './shape.ts'
import type { EventStream } from './streams.ts'
import { endOf, hasEnded } from './wait-for-end.ts'

/** Sends a deployment's log: live as events to who asks for them, else what there is as text. */
export function deploymentLog(parts: ApiParts) {
  return async (request: FastifyRequest<{ Params: { id: string } }>, reply: FastifyReply) => {
    const { id } = await readDeployment(parts.db, request.params.id)
    if (!headerOf(request, 'accept')?.includes('text/event-stream')) {
      return reply.type('text/plain; charset=utf-8').send(Readable.from(textOf(parts.logs.read(id, 0))))
    }
    const stream = openStream(parts, request, reply)
    background(follow(parts, { id, after: seqOf(headerOf(request, 'last-event-id')), stream }), error => {
      parts.logger.warn('api.stream-broken', { request: request.id, message: error.message })
      stream.end()
    })
    return reply
  }
}

interface Follower {
  readonly id: string
  readonly after: number
  readonly stream: EventStream
}

/** What is stored goes out as fast as the client reads; then each new line; then the end. */
async function follow(parts: ApiParts, { id, after, stream }: Follower): Promise<void> {
  const { logs, events, db } = parts
  const ended = endOf(events, id)
  try {
    if (hasEnded(await readDeployment(db, id))) {
      await tell(stream, logs.read(id, after))
    } else {
      const over = new AbortController()
      // Who hears of the end finds all lines in the file.
      background(
        ended.promise.then(() => over.abort()),
        () => undefined,
      )
      await tell(stream, logs.follow(id, after, AbortSignal.any([over.signal, stream.signal])))
    }
  } finally {
    ended.close()
  }
  const { state, outcome } = await readDeployment(db, id)
  stream.send({ event: 'end', data: { state, outcome: outcome ?? null } })
  stream.end()
}

async function tell(stream: EventStream, lines: AsyncIterable<DeploymentLine>): Promise<void> {
  for await (const line of lines) {
    stream.send({ id: line.seq, data: lineDocument(line) })
    await stream.drained()
    if (stream.signal.aborted) {
      return
    }
  }
}

function lineDocument({ seq, at, step, stream, text }: DeploymentLine): LogLineDocument {
  return { seq, at: timeText(at), step, stream, text }
}

function seqOf(lastEventId: string | undefined): number {
  return lastEventId !== undefined && /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : 0
}

/** As it is read by people, and by nothing that would obey it. */
export async function* textOf(lines: AsyncIterable<DeploymentLine>): AsyncGenerator<string> {
  for await (const line of lines) {
    yield `${timeText(line.at)} ${line.step.padEnd(8)} ${inert(line.text)}\n`
  }
}

/** Nothing that a terminal would obey, and nothing that reorders or hides text. */
export function inert(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll('\r', ' ')
    .replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, '')
}
