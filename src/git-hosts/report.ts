import type { HttpAnswer, HttpRequest } from '#lib/http-request.ts'
import type { Secret } from '#lib/secret.ts'

export type ReportState =
  | 'queued'
  | 'running'
  | 'waiting'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'superseded'
  /** Nothing was to be deployed for this commit, and nothing is wrong with it. */
  | 'skipped'

/** What a Git host is told about a commit. Whoever may read the repository may read all of it. */
export interface Report {
  readonly commit: string
  readonly state: ReportState
  /** Name of the line that it has at the commit, such as `fairlead/shop`. */
  readonly context: string
  /** The app, as the place that is deployed to. */
  readonly environment: string
  /** At most 140 characters. */
  readonly description: string
  /** Where visitors find the app. */
  readonly appUrl: string | undefined
  /** Id of the deployment here: under it the host's own record is found again. */
  readonly deployment: string
  /** Id of the host's own record, when an earlier report got one. */
  readonly remote: string | undefined
  /** An earlier attempt at this report may have arrived. */
  readonly isRetry: boolean
}

/** Where reports about one repository go. */
export interface ReportPlace {
  /** Without a slash at the end. */
  readonly api: string
  /** Address of the repository. */
  readonly repository: string
  readonly token: Secret
  /** For hosts that take the token as a password. */
  readonly username: string | undefined
  /** Whether deployments are kept at the host besides the state of the commit, where it can do that. */
  readonly deployments: boolean
}

/** How it went. `remote` is the id of the host's own record as soon as there is one. */
export type Verdict = { readonly remote?: string } & (
  | { readonly kind: 'sent' }
  /** Trying again changes nothing: a person must act. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'later'; readonly reason: string; readonly afterMs?: number | undefined }
)

/** The requests of one report, each made of the answers before it. Pure: who sends them is another's business. */
export type Exchange = Generator<HttpRequest, Verdict, HttpAnswer>

/** How one Git host is told about commits. */
export interface Reporting {
  /** The API of a server, by its host name (with the port, where it has an unusual one). */
  readonly apiAt: (server: string) => string
  /** The only server whose repositories have that API; default: each has its own. */
  readonly onlyServer?: string
  /** What the token must be allowed to do, in the words of the host. */
  readonly token: string
  readonly report: (report: Report, place: ReportPlace) => Exchange
}

/** The link of a report: the app once it runs. Of the deployment itself there is no page that a visitor could open. */
export function linkOf({ state, appUrl }: Report): string | undefined {
  return state === 'succeeded' ? appUrl : undefined
}

export function postJson(
  url: string,
  headers: NonNullable<HttpRequest['headers']>,
  body: Readonly<Record<string, unknown>>,
): HttpRequest {
  const all = { accept: 'application/json', 'content-type': 'application/json', ...headers }
  return { method: 'POST', url, headers: all, body: JSON.stringify(body) }
}

/** What an answer means: done, a person must act, or later. */
export function judge({ status, headers, body }: HttpAnswer): Verdict {
  if (status >= 200 && status < 300) {
    return { kind: 'sent' }
  }
  const reason = `it answers ${status}${saidIn(body)}`
  const isLimited = status === 429 || (status === 403 && isRateLimit(headers))
  if (isLimited || status >= 500 || status === 408 || status === 425) {
    return { kind: 'later', reason, afterMs: waitIn(headers) }
  }
  return { kind: 'refused', reason }
}

/** The parts of a repository's path at its host, without `.git`: at least owner and name. */
export function pathOf(repository: string): string[] {
  const path = /^(?:[a-z]+:\/\/[^/]*|[^/:]*:)\/?(.*)$/.exec(repository)?.[1] ?? ''
  return path
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .split('/')
    .map(decoded)
}

/** `owner/name`, fit for an address. */
export function ownerAndName(repository: string): string {
  return pathOf(repository).slice(-2).map(encodeURIComponent).join('/')
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** GitHub says "forbidden" also to who asks too often. */
function isRateLimit(headers: HttpAnswer['headers']): boolean {
  return headers['retry-after'] !== undefined || headers['x-ratelimit-remaining'] === '0'
}

function waitIn(headers: HttpAnswer['headers']): number | undefined {
  const seconds = headers['retry-after'] ?? ''
  return /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : undefined
}

const MOST_SAID = 160

/** The host's own words, on one line and not for long. */
function saidIn(body: string): string {
  const text = wordsIn(body)
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
  return text === '' ? '' : `: ${text.slice(0, MOST_SAID)}`
}

function wordsIn(body: string): string {
  try {
    const { message, error, errors } = JSON.parse(body) as Record<string, unknown>
    const said = message ?? (error as { message?: unknown } | undefined)?.message ?? error ?? errors
    return said === undefined ? '' : typeof said === 'string' ? said : JSON.stringify(said)
  } catch {
    // A page of a proxy says nothing about the report.
    return ''
  }
}
