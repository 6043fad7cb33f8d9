import type { TokenExchangeBody, TokenExchangeDocument } from '#contract/rest/token-exchange.ts'
import { systemClock } from '#lib/clock.ts'
import { FairleadError, type WireError } from '#lib/errors.ts'
import { type BearerConfig, createBearer } from './bearer.ts'
import { MANAGER_UNREACHABLE } from './errors.ts'

/** One server-sent event. */
export interface StreamedEvent {
  readonly id: string
  readonly event: string
  readonly data: unknown
}

/** The REST API of one manager. Paths are below /api/v1; answers that are no 2xx become FairleadErrors. */
export interface Client {
  readonly url: string
  get<T>(path: string): Promise<T>
  /** The answer as text instead of JSON. */
  text(path: string): Promise<string>
  send<T>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<T>
  /** Events until the server ends the stream or the signal is aborted; goes on where a lost connection broke off. */
  events(path: string, signal: AbortSignal): AsyncGenerator<StreamedEvent>
  /** What a connection that is no request has to show: the value of its Authorization header. */
  authorization(): Promise<string>
}

const CUT = ['ECONNRESET', 'UND_ERR_SOCKET', 'EPIPE']
/** For a quarter of a minute: another manager may have to take over. */
const RECONNECTIONS = 12
const RECONNECT_AFTER_MS = 200

export function createClient(config: BearerConfig): Client {
  const url = config.managerUrl
  const bearer = createBearer(config, body => exchange(body))

  async function exchange(body: TokenExchangeBody): Promise<string> {
    const headers = { 'content-type': 'application/json' }
    const answer = await reach('/token-exchange', { method: 'POST', headers, body: JSON.stringify(body) })
    return ((await (await accepted(answer)).json()) as TokenExchangeDocument).access_token
  }

  const reach = (path: string, options: RequestInit) => reachAt(url, path, options)

  async function request(
    method: string,
    path: string,
    options: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal },
  ) {
    const ask = async (token: string) =>
      await reach(path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...options.headers,
          ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        ...(options.signal ? { signal: options.signal } : {}),
      })
    const token = await bearer.token()
    const answer = await ask(token)
    const another = answer.status === 401 ? await bearer.renewed(token) : undefined
    return await accepted(another === undefined ? answer : await ask(another))
  }

  async function* events(path: string, signal: AbortSignal): AsyncGenerator<StreamedEvent> {
    let last = ''
    for (let tries = 0; tries < RECONNECTIONS; tries++) {
      try {
        const headers = { accept: 'text/event-stream', ...(last === '' ? {} : { 'last-event-id': last }) }
        const answer = await request('GET', path, { headers, signal })
        for await (const event of readEvents(answer)) {
          last = event.id || last
          tries = 0
          yield event
        }
        return
      } catch (error) {
        if (signal.aborted) {
          return
        }
        if (last === '' || (error instanceof FairleadError && error.retry === 'never')) {
          throw error
        }
        await systemClock.sleep(RECONNECT_AFTER_MS * (tries + 1), signal).catch(() => {})
      }
    }
  }

  return {
    url,
    get: async path => (await (await request('GET', path, {})).json()) as never,
    text: async path => await (await request('GET', path, { headers: { accept: 'text/plain' } })).text(),
    async send(method, path, body, headers = {}) {
      const text = await (await request(method, path, { body, headers })).text()
      return (text === '' ? undefined : JSON.parse(text)) as never
    },
    events,
    authorization: async () => `Bearer ${await bearer.token()}`,
  }
}

/** For who has no token yet and signs in as a browser does: it keeps the cookie of the session. */
export function createVisitor(url: string) {
  let cookie = ''
  return async <T>(method: 'GET' | 'POST', path: string, body: unknown = {}): Promise<T> => {
    const headers = {
      'content-type': 'application/json',
      // Its own page, as it were: what comes with the cookie has to say so.
      origin: new URL(url).origin,
      ...(cookie === '' ? {} : { cookie }),
    }
    const sent = method === 'GET' ? {} : { body: JSON.stringify(body) }
    const answer = await accepted(await reachAt(url, path, { method, headers, ...sent }))
    const set = answer.headers.getSetCookie().find(each => each.startsWith('__Host-fairlead='))
    cookie = set?.split(';')[0] ?? cookie
    const text = await answer.text()
    return (text === '' ? undefined : JSON.parse(text)) as T
  }
}

async function reachAt(url: string, path: string, options: RequestInit): Promise<Response> {
  const send = () => fetch(`${url}/api/v1${path}`, options)
  return (
    send()
      // A kept connection may be closed by the manager at the moment of its use; only a question is asked again.
      .catch(error =>
        options.method === 'GET' && CUT.includes(codeOf(error)) ? send() : Promise.reject(error),
      )
      .catch(error => {
        throw MANAGER_UNREACHABLE(url, reasonOf(error)).with({ cause: error })
      })
  )
}

/** The answer, if it is one of success. */
async function accepted(answer: Response): Promise<Response> {
  if (!answer.ok) {
    throw await problemOf(answer)
  }
  return answer
}

async function* readEvents(answer: Response): AsyncGenerator<StreamedEvent> {
  if (!answer.body) {
    return
  }
  let pending = ''
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (pending + chunk).split('\n\n')
    pending = blocks.pop() ?? ''
    for (const block of blocks) {
      const event = parseEvent(block)
      if (event) {
        yield event
      }
    }
  }
}

function parseEvent(block: string): StreamedEvent | undefined {
  const fields: Record<string, string> = {}
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) {
      const name = line.slice(0, colon)
      const value = line.slice(colon + 1).replace(/^ /, '')
      fields[name] = name === 'data' && fields.data !== undefined ? `${fields.data}\n${value}` : value
    }
  }
  if (fields.data === undefined) {
    return undefined
  }
  return { id: fields.id ?? '', event: fields.event ?? 'message', data: JSON.parse(fields.data) }
}

async function problemOf(answer: Response): Promise<FairleadError> {
  return asProblem(answer.status, await answer.json().catch(() => ({})))
}

/** The error that a manager answers with. */
export function asProblem(status: number, document: unknown): FairleadError {
  const problem = document as Partial<WireError> & {
    detail?: string
    title?: string
  }
  return new FairleadError({
    code: problem.code ?? `HTTP_${status}`,
    message: problem.message ?? problem.detail ?? problem.title ?? `The manager answered ${status}.`,
    hint: problem.hint ?? '',
    retry: problem.retry ?? 'never',
    status,
    problems: problem.problems,
    facts: problem.facts,
  })
}

function codeOf(error: unknown): string {
  return (error as { cause?: { code?: string } }).cause?.code ?? ''
}

function reasonOf(error: unknown): string {
  return codeOf(error) || ((error as { cause?: { message?: string } }).cause?.message ?? String(error))
}
