import type { ProblemDocument } from '#contract/rest/problem.ts'
import { refusals, token } from './token.ts'
import { together, withKey } from './writes.ts'

/** What went wrong, in the words of the manager, with what to do about it. */
export class ApiError extends Error {
  readonly code: string
  readonly hint: string
  readonly status: number
  readonly problems: NonNullable<ProblemDocument['problems']>
  readonly requestId: string | undefined

  constructor(
    problem: Pick<ProblemDocument, 'code' | 'detail' | 'hint' | 'status'> & Partial<ProblemDocument>,
  ) {
    super(problem.detail)
    this.code = problem.code
    this.hint = problem.hint
    this.status = problem.status
    this.problems = problem.problems ?? []
    this.requestId = problem.request_id
  }
}

export interface Page<T> {
  readonly items: T[]
  readonly next: string | null
}

/** A device that changes networks is connected again a moment later. */
const AGAIN_MS = 300
/** How often it is asked for the answer of a write whose first answer was cut off and that is still at work, and how long. */
const LOOK_EVERY_MS = 1_000
const MOST_LOOKS = 120

const UNEXPECTED_ANSWER = 'UNEXPECTED_ANSWER'

type Query = Readonly<Record<string, string | number | boolean | undefined | null>>

export interface CallOptions {
  readonly query?: Query
  readonly body?: unknown
  /** Version that was read: a change that somebody else made meanwhile is not overwritten. */
  readonly version?: number | string
  readonly signal?: AbortSignal
}

interface Sent extends CallOptions {
  /** Idempotency-Key of a write. */
  readonly key?: string
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal) =>
  call<T>('GET', path, { ...(query ? { query } : {}), ...(signal ? { signal } : {}) })
export const post = <T>(path: string, body: unknown = {}) => call<T>('POST', path, { body })
/** Where the answer opens a session or belongs to a cookie that comes with it: the manager gives none of these again. */
export const postOnce = <T>(path: string, body: unknown = {}) =>
  together(`POST ${path} ${JSON.stringify(body)}`, () => callOnce<T>('POST', path, { body }))
export const put = <T>(path: string, body: unknown) => call<T>('PUT', path, { body })
export const remove = <T = null>(path: string, query?: Query) =>
  call<T>('DELETE', path, query ? { query } : {})

/**
 * One request to the API; throws an ApiError. A session that has ended leads to the sign-in page. A request that was cut off,
 * or whose answer was, is made once more; a write happens once all the same.
 */
export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  if (method === 'GET') {
    return await callTwice<T>(method, path, options)
  }
  const name = `${method} ${addressOf(path, options.query)} ${options.version} ${JSON.stringify(options.body)}`
  return await together(name, () =>
    withKey(name, { work: key => answerOf<T>(method, path, { ...options, key }), isAnswer }),
  )
}

/** The answer to a write, also when it was cut off while the manager is at work on it. */
async function answerOf<T>(method: string, path: string, options: Sent): Promise<T> {
  for (let looks = 1; ; looks++) {
    try {
      return await callTwice<T>(method, path, options)
    } catch (error) {
      const isAtWork = error instanceof ApiError && error.code === IN_PROGRESS
      if (!isAtWork || looks === MOST_LOOKS) {
        throw error
      }
      await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS))
    }
  }
}

async function callTwice<T>(method: string, path: string, options: Sent): Promise<T> {
  try {
    return await callOnce<T>(method, path, options)
  } catch (error) {
    const isCutOff = !(error instanceof ApiError) || error.status === 0
    if (!isCutOff || options.signal?.aborted) {
      throw error
    }
    await new Promise(resolve => setTimeout(resolve, AGAIN_MS))
    return await callOnce<T>(method, path, options)
  }
}

const IN_PROGRESS = 'IDEMPOTENCY_IN_PROGRESS'

/** Whether the manager itself said so: then it is known what became of a write. */
function isAnswer(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    error.status !== 0 &&
    // Somebody is at work on it still: the next try must not be another write.
    ![UNEXPECTED_ANSWER, IN_PROGRESS].includes(error.code)
  )
}

async function callOnce<T>(method: string, path: string, options: Sent): Promise<T> {
  const response = await send(method, path, options)
  if (!response.ok) {
    throw await errorOf(response)
  }
  if (response.status === 204) {
    return null as T
  }
  return (await response.json()) as T
}

/** The answer as it is, for what is no JSON. */
export async function send(
  method: string,
  path: string,
  { query, body, version, signal, key }: Sent = {},
): Promise<Response> {
  try {
    return await fetch(addressOf(path, query), {
      method,
      headers: {
        ...authorization(),
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(version === undefined ? {} : { 'if-match': `"${version}"` }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    })
  } catch (error) {
    if (signal?.aborted) {
      throw error
    }
    throw new ApiError({
      code: 'NOT_REACHED',
      status: 0,
      detail: 'The manager does not answer.',
      hint: 'Look whether it runs and whether this device is connected; the page tries again by itself.',
    })
  }
}

export function authorization(): Record<string, string> {
  return token.value === null ? {} : { authorization: `Bearer ${token.value}` }
}

export function addressOf(path: string, query: Query = {}): string {
  const words = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === null || value === '' ? [] : [[name, String(value)]],
  )
  return `/api/v1${path}${words.length > 0 ? `?${new URLSearchParams(words)}` : ''}`
}

export async function errorOf(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => undefined)) as ProblemDocument | undefined
  if (response.status === 401) {
    refusals.value++
  }
  return new ApiError(
    problem?.code === undefined
      ? {
          code: UNEXPECTED_ANSWER,
          status: response.status,
          detail: `The manager answered ${response.status}, and not in its own words.`,
          hint: 'Something between this page and the manager may have answered instead of it.',
        }
      : problem,
  )
}
