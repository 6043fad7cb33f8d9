import {
  type Exchange,
  judge,
  linkOf,
  pathOf,
  postJson,
  type Report,
  type Reporting,
  type ReportPlace,
} from './report.ts'

const STATES = {
  queued: 'pending',
  waiting: 'pending',
  running: 'running',
  succeeded: 'success',
  failed: 'failed',
  cancelled: 'canceled',
  superseded: 'canceled',
  skipped: 'success',
} as const

export const gitlabReporting: Reporting = {
  apiAt: server => `https://${server}/api/v4`,
  token: 'a project access token with scope "api" and role Developer or higher',
  report: reportCommit,
}

function* reportCommit(report: Report, place: ReportPlace): Exchange {
  const project = encodeURIComponent(projectOf(place))
  const answer = yield postJson(
    `${place.api}/projects/${project}/statuses/${report.commit}`,
    { 'private-token': place.token },
    {
      state: STATES[report.state],
      name: report.context,
      description: report.description,
      target_url: linkOf(report),
    },
  )
  // It says so also when it has that state already: what was to be told is known.
  const isKnown = answer.status === 400 && /cannot transition status/i.test(answer.body)
  return isKnown ? { kind: 'sent' } : judge(answer)
}

/** A server below a path has that path in front of its projects and of its API. */
function projectOf({ api, repository }: ReportPlace): string {
  const path = pathOf(repository).join('/')
  const prefix = new URL(api).pathname.replace(/\/?api\/v4$/, '').replace(/^\//, '')
  return prefix !== '' && path.startsWith(`${prefix}/`) ? path.slice(prefix.length + 1) : path
}
