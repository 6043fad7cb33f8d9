import type { Readable } from 'node:stream'
import { type AnswerStream, createDockerLog, createJsonLines } from './answer-stream.ts'
import type { EngineAnswer, EngineRequest, StreamEvent } from './call.ts'
import { ANSWER_TOO_LARGE } from './errors.ts'
import { createTarFiles } from './tar-files.ts'

const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** What of an HTTP response is read here. */
export interface Response extends Readable {
  readonly statusCode?: number | undefined
  readonly headers: Headers
  readonly trailers: Headers
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

/** The consumer of a stream ended the request by throwing: its error is for whoever made the call. */
export class StoppedByConsumer extends Error {}

/** Reads the answer to its end: as text, or piece by piece to the stream's onEvent. */
export async function readAnswer(
  response: Response,
  stream: EngineRequest<unknown>['stream'],
  name: string,
): Promise<EngineAnswer> {
  const text = stream ? await follow(response, stream) : await textOf(response, name)
  return {
    status: response.statusCode ?? 0,
    headers: flat(response.headers),
    trailers: flat(response.trailers),
    text,
    json: parsed(text),
  }
}

async function follow(
  response: Response,
  stream: NonNullable<EngineRequest<unknown>['stream']>,
): Promise<string> {
  function onEvent(event: StreamEvent): void {
    try {
      stream.onEvent(event)
    } catch (cause) {
      throw new StoppedByConsumer('', { cause })
    }
  }
  const target = targetOf(stream, onEvent)
  for await (const chunk of response) {
    target.write(chunk as Buffer)
  }
  target.end()
  return ''
}

function targetOf(
  stream: NonNullable<EngineRequest<unknown>['stream']>,
  onEvent: (event: StreamEvent) => void,
): AnswerStream {
  switch (stream.format) {
    case 'docker-log':
      return createDockerLog(onEvent)
    case 'tar':
      return createTarFiles(stream.isWanted, onEvent)
    default:
      return createJsonLines(value => onEvent({ kind: 'json', value }))
  }
}

async function textOf(response: Response, name: string): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length
    if (bytes > MAX_ANSWER_BYTES) {
      throw ANSWER_TOO_LARGE(name, MAX_ANSWER_BYTES)
    }
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function flat(headers: Headers): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([key, value]) => [key, Array.isArray(value) ? value.join(', ') : value]),
  )
}

function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
