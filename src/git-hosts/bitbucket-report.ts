import { createHash } from 'node:crypto'
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

/** The state of a build at both, but for what ended without a result. */
function stateOf(state: ReportState, stopped: string): string {
  switch (state) {
    case 'succeeded':
    case 'skipped':
      return 'SUCCESSFUL'
    case 'failed':
      return 'FAILED'
    case 'cancelled':
    case 'superseded':
      return stopped
    default:
      return 'INPROGRESS'
  }
}

const MOST_KEY = 40

export const bitbucketReporting: Reporting = {
  apiAt: () => 'https://api.bitbucket.org/2.0',
  onlyServer: 'bitbucket.org',
  token: 'a repository access token that may write repositories',
  report: reportToCloud,
}

export const dataCenterReporting: Reporting = {
  apiAt: server => `https://${server}/rest/api/latest`,
  token: 'an HTTP access token of the repository that may read it',
  report: reportToDataCenter,
}

function* reportToCloud(report: Report, place: ReportPlace): Exchange {
  const path = ownerAndName(place.repository)
  return judge(
    yield postJson(
      `${place.api}/repositories/${path}/commit/${report.commit}/statuses/build`,
      { authorization: authorizationOf(place) },
      bodyOf(report, {
        state: stateOf(report.state, 'STOPPED'),
        page: `https://bitbucket.org/${path}/commits/${report.commit}`,
      }),
    ),
  )
}

function* reportToDataCenter(report: Report, place: ReportPlace): Exchange {
  const [project = '', name = ''] = ownerAndName(place.repository).split('/')
  const path = `projects/${project}/repos/${name}/commits/${report.commit}`
  return judge(
    yield postJson(
      `${place.api}/${path}/builds`,
      { authorization: new Secret(`Bearer ${place.token.reveal()}`) },
      bodyOf(report, {
        state: stateOf(report.state, 'CANCELLED'),
        page: `${place.api.replace(/\/rest\/api\/.*$/, '')}/${path}`,
      }),
    ),
  )
}

/** Both insist on a link: without another one it leads to the commit itself. */
function bodyOf(report: Report, { state, page }: { readonly state: string; readonly page: string }) {
  const { context } = report
  const short = createHash('sha256').update(context).digest('hex').slice(0, MOST_KEY)
  return {
    key: context.length <= MOST_KEY ? context : short,
    state,
    name: context,
    description: report.description,
    url: linkOf(report) ?? page,
  }
}

/** An access token is given as it is; one of a person is the password of that person. */
function authorizationOf({ token, username }: ReportPlace): Secret {
  if (username === undefined || username === 'x-token-auth') {
    return new Secret(`Bearer ${token.reveal()}`)
  }
  return new Secret(`Basic ${Buffer.from(`${username}:${token.reveal()}`).toString('base64')}`)
}
