import type { HttpAnswer, HttpRequest } from '#lib/http-request.ts'
import { Secret } from '#lib/secret.ts'
import {
  type Exchange,
  judge,
  linkOf,
  ownerAndName,
  postJson,
  type Report,
  type Reporting,
  type ReportPlace,
  type ReportState,
} from './report.ts'

const STATUS = {
  queued: 'pending',
  running: 'pending',
  waiting: 'pending',
  succeeded: 'success',
  failed: 'failure',
  cancelled: 'error',
  superseded: 'error',
  skipped: 'success',
} as const

const DEPLOYMENT = {
  queued: 'queued',
  running: 'in_progress',
  waiting: 'pending',
  succeeded: 'success',
  failed: 'failure',
  cancelled: 'error',
  superseded: 'inactive',
  skipped: 'inactive',
} as const

/** Ends that also come where nothing began. */
const UNBEGUN: readonly ReportState[] = ['cancelled', 'superseded', 'skipped']

/** The state of the commit, and a deployment of the environment that is named like the app. */
export const githubReporting: Reporting = {
  apiAt: server => (server === 'github.com' ? 'https://api.github.com' : `https://${server}/api/v3`),
  token:
    'fine-grained: "Commit statuses" and "Deployments" read and write for this one repository; classic: scope "repo"',
  report: reportCommit,
}

function* reportCommit(report: Report, place: ReportPlace): Exchange {
  const repository = `${place.api}/repos/${ownerAndName(place.repository)}`
  const headers = headersOf(place)
  const status = judge(
    yield postJson(`${repository}/statuses/${report.commit}`, headers, {
      state: STATUS[report.state],
      context: report.context,
      description: report.description,
      target_url: linkOf(report),
    }),
  )
  if (status.kind !== 'sent' || !place.deployments) {
    return status
  }
  let id = report.remote
  if (id === undefined && report.isRetry) {
    id = found(yield find(repository, headers, report), report)
  }
  if (id === undefined && UNBEGUN.includes(report.state)) {
    // Nothing began to be deployed: there is nothing to end.
    return status
  }
  if (id === undefined) {
    const answer = yield make(repository, headers, report)
    const made = judge(answer)
    id = idIn(answer)
    if (made.kind !== 'sent' || id === undefined) {
      return made.kind === 'sent' ? { kind: 'refused', reason: 'it made no deployment' } : made
    }
  }
  const told = judge(
    yield postJson(`${repository}/deployments/${id}/statuses`, headers, {
      state: DEPLOYMENT[report.state],
      description: report.description,
      environment_url: linkOf(report),
      auto_inactive: report.state === 'succeeded',
    }),
  )
  return { ...told, remote: id }
}

function headersOf({ token }: ReportPlace): NonNullable<HttpRequest['headers']> {
  return {
    authorization: new Secret(`Bearer ${token.reveal()}`),
    accept: 'application/vnd.github+json',
    'x-github-api-version': '2022-11-28',
  }
}

function make(repository: string, headers: NonNullable<HttpRequest['headers']>, report: Report): HttpRequest {
  return postJson(`${repository}/deployments`, headers, {
    ref: report.commit,
    environment: report.environment,
    description: report.description,
    // Exactly this commit, now: no merge before it, and nobody else's check holds up what already happens.
    auto_merge: false,
    required_contexts: [],
    payload: { fairlead: report.deployment },
  })
}

function find(repository: string, headers: NonNullable<HttpRequest['headers']>, report: Report): HttpRequest {
  const query = new URLSearchParams({
    sha: report.commit,
    environment: report.environment,
    per_page: '100',
  })
  return { method: 'GET', url: `${repository}/deployments?${query}`, headers }
}

/** The deployment that an interrupted attempt made. */
function found({ status, body }: HttpAnswer, report: Report): string | undefined {
  const list = status === 200 ? (parsed(body) as readonly unknown[]) : []
  const mine = (Array.isArray(list) ? list : []).find(each => {
    const { payload } = each as { payload?: unknown }
    const kept = typeof payload === 'string' ? parsed(payload) : payload
    return (kept as { fairlead?: unknown } | undefined)?.fairlead === report.deployment
  })
  return numberIn(mine)
}

function idIn({ body }: HttpAnswer): string | undefined {
  return numberIn(parsed(body))
}

function numberIn(value: unknown): string | undefined {
  const { id } = (value ?? {}) as { id?: unknown }
  return typeof id === 'number' && Number.isSafeInteger(id) ? String(id) : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
