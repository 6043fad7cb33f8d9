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
} from './report.ts'

const STATES = {
  queued: 'pending',
  running: 'pending',
  waiting: 'pending',
  succeeded: 'success',
  failed: 'failure',
  cancelled: 'warning',
  superseded: 'warning',
  skipped: 'success',
} as const

/** Gitea and Forgejo. */
export const giteaReporting: Reporting = {
  apiAt: server => `https://${server}/api/v1`,
  token: 'an access token with "repository: read and write"',
  report: reportCommit,
}

function* reportCommit(report: Report, place: ReportPlace): Exchange {
  return judge(
    yield postJson(
      `${place.api}/repos/${ownerAndName(place.repository)}/statuses/${report.commit}`,
      { authorization: new Secret(`token ${place.token.reveal()}`) },
      {
        state: STATES[report.state],
        context: report.context,
        description: report.description,
        target_url: linkOf(report),
      },
    ),
  )
}
