import type { Engine, EngineAnswer, EngineRequest } from '#exec/call.ts'

/** What only reads or writes the daemon's own records. */
const QUICK_MS = 20_000
/** So long one question for the end of an operation waits; it is asked again. */
const WAIT_SECONDS = 20

export function incusEngine(socket: string): Engine {
  return { kind: 'incus', socket }
}

/** Incus answers at once, or with an operation that goes on in its background, or refuses. */
export type IncusReply =
  | { readonly kind: 'done'; readonly metadata: unknown; readonly etag: string | undefined }
  | { readonly kind: 'begun'; readonly operation: string; readonly metadata: unknown }
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string }

export type IncusQuestion = Pick<EngineRequest<unknown>, 'method' | 'path' | 'query' | 'headers' | 'body'> & {
  readonly timeoutMs?: number
}

/** One request to the API of the Incus daemon behind a socket. */
export function askIncus(socket: string, question: IncusQuestion): EngineRequest<IncusReply> {
  return {
    kind: 'request',
    engine: incusEngine(socket),
    timeoutMs: QUICK_MS,
    ok: 'any',
    read: readReply,
    ...question,
  }
}

/** The end of an operation; undefined while it goes on. */
export function awaitOperation(socket: string, operation: string): EngineRequest<IncusReply | undefined> {
  return {
    kind: 'request',
    engine: incusEngine(socket),
    method: 'GET',
    path: `${operation}/wait`,
    query: { timeout: WAIT_SECONDS },
    timeoutMs: (WAIT_SECONDS + 20) * 1_000,
    ok: 'any',
    read: readEnd,
  }
}

/** Headers of the daemon's own. LXD, which Incus was made of, has the same ones under its name. */
export function ownHeaders(texts: Readonly<Record<string, string>>): Record<string, string> {
  const named = (prefix: string) => Object.entries(texts).map(([name, text]) => [`x-${prefix}-${name}`, text])
  return Object.fromEntries([...named('incus'), ...named('lxd')])
}

/** Ends an operation where that is possible. */
export function cancelOperation(socket: string, operation: string): EngineRequest<IncusReply> {
  return askIncus(socket, { method: 'DELETE', path: operation })
}

/** Paths of the operations under way that are about an instance; not of those that wait for what somebody types. */
export function operationsOf(socket: string, instance: string): EngineRequest<readonly string[]> {
  const path = `/1.0/instances/${instance}`
  return {
    ...askIncus(socket, { method: 'GET', path: '/1.0/operations', query: { recursion: 1 } }),
    ok: [200],
    read: ({ json }) => {
      const byState = ((json ?? {}) as { metadata?: Record<string, RawOperation[]> | null }).metadata ?? {}
      return Object.values(byState)
        .flat()
        .filter(each => each.status_code < 200 && each.class !== 'websocket' && isAbout(each.resources, path))
        .map(({ id }) => `/1.0/operations/${id}`)
    },
  }
}

interface RawOperation {
  id: string
  class?: string
  status_code: number
  resources?: Record<string, string[] | null> | null
}

function isAbout(resources: RawOperation['resources'], path: string): boolean {
  return Object.values(resources ?? {}).some(paths => paths?.some(each => each.split('?')[0] === path))
}

export function readReply(answer: EngineAnswer): IncusReply {
  const { type, operation, metadata, error, error_code } = (answer.json ?? {}) as {
    type?: string
    operation?: string
    metadata?: unknown
    error?: string
    error_code?: number
  }
  if (type === 'sync') {
    return { kind: 'done', metadata, etag: answer.headers.etag }
  }
  if (type === 'async' && operation) {
    return { kind: 'begun', operation, metadata }
  }
  const status = error_code || answer.status
  return { kind: 'refused', status, reason: error || answer.text.slice(0, 2_000) || `status ${status}` }
}

/** Every failed operation was seen as an error of the question itself; the reply has a place for one, too. */
function readEnd(answer: EngineAnswer): IncusReply | undefined {
  const reply = readReply(answer)
  if (reply.kind !== 'done') {
    return reply
  }
  const {
    status_code = 0,
    err,
    metadata,
  } = (reply.metadata ?? {}) as {
    status_code?: number
    err?: string
    metadata?: unknown
  }
  if (status_code < 200) {
    return undefined
  }
  return status_code === 200
    ? { ...reply, metadata }
    : { kind: 'refused', status: status_code, reason: err || `the operation ended with ${status_code}` }
}
