import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpAnswer, HttpRequest } from '#lib/http-request.ts'
import { revealed, Secret } from '#lib/secret.ts'
import { GIT_HOSTS, gitHostNamed } from './index.ts'
import { judge, type Report, type ReportPlace, type ReportState, type Verdict } from './report.ts'

const SHA = '3d7f0c1e'.repeat(5)
const STATES: readonly ReportState[] = [
  'queued',
  'running',
  'waiting',
  'succeeded',
  'failed',
  'cancelled',
  'superseded',
  'skipped',
]
const CREATED = answer(201, {})

interface Known {
  readonly repository: string
  readonly api: string
  readonly url: string
  readonly header: readonly [string, string]
  /** In the order of STATES. */
  readonly states: readonly string[]
  /** Names of the fields for line and link. */
  readonly fields: readonly [line: string, link: string]
}

/** As the documentation of each host has it. */
const HOSTS: Readonly<Record<string, Known>> = {
  github: {
    repository: 'git@github.com:acme/shop.git',
    api: 'https://api.github.com',
    url: `https://api.github.com/repos/acme/shop/statuses/${SHA}`,
    header: ['authorization', 'Bearer t0ken'],
    states: ['pending', 'pending', 'pending', 'success', 'failure', 'error', 'error', 'success'],
    fields: ['context', 'target_url'],
  },
  gitlab: {
    repository: 'https://gitlab.com/acme/web/shop.git',
    api: 'https://gitlab.com/api/v4',
    url: `https://gitlab.com/api/v4/projects/acme%2Fweb%2Fshop/statuses/${SHA}`,
    header: ['private-token', 't0ken'],
    states: ['pending', 'running', 'pending', 'success', 'failed', 'canceled', 'canceled', 'success'],
    fields: ['name', 'target_url'],
  },
  gitea: {
    repository: 'ssh://git@git.example.org:2222/acme/shop.git',
    api: 'https://git.example.org/api/v1',
    url: `https://git.example.org/api/v1/repos/acme/shop/statuses/${SHA}`,
    header: ['authorization', 'token t0ken'],
    states: ['pending', 'pending', 'pending', 'success', 'failure', 'warning', 'warning', 'success'],
    fields: ['context', 'target_url'],
  },
  bitbucket: {
    repository: 'https://bitbucket.org/acme/shop.git',
    api: 'https://api.bitbucket.org/2.0',
    url: `https://api.bitbucket.org/2.0/repositories/acme/shop/commit/${SHA}/statuses/build`,
    header: ['authorization', 'Bearer t0ken'],
    states: [
      'INPROGRESS',
      'INPROGRESS',
      'INPROGRESS',
      'SUCCESSFUL',
      'FAILED',
      'STOPPED',
      'STOPPED',
      'SUCCESSFUL',
    ],
    fields: ['key', 'url'],
  },
  'bitbucket-data-center': {
    repository: 'https://git.example.org/scm/web/shop.git',
    api: 'https://git.example.org/rest/api/latest',
    url: `https://git.example.org/rest/api/latest/projects/web/repos/shop/commits/${SHA}/builds`,
    header: ['authorization', 'Bearer t0ken'],
    states: [
      'INPROGRESS',
      'INPROGRESS',
      'INPROGRESS',
      'SUCCESSFUL',
      'FAILED',
      'CANCELLED',
      'CANCELLED',
      'SUCCESSFUL',
    ],
    fields: ['key', 'url'],
  },
}

for (const [name, known] of Object.entries(HOSTS)) {
  test(`${name} is told each state in its own words, with the token where it wants it`, () => {
    for (const [index, state] of STATES.entries()) {
      const { requests, verdict } = converse(name, { state }, { deployments: false }, () => CREATED)
      assert.equal(verdict.kind, 'sent')
      const [request] = requests
      assert.equal(requests.length, 1)
      assert.deepEqual([request?.method, request?.url], ['POST', known.url])
      assert.equal(revealed(request?.headers?.[known.header[0]] ?? ''), known.header[1])
      assert.equal(JSON.stringify(request?.headers).includes('t0ken'), false)
      const body = JSON.parse(request?.body ?? '') as Record<string, unknown>
      assert.equal(body.state, known.states[index], state)
      const [line, link] = known.fields
      assert.equal(body[line], 'fairlead/shop')
      if (state === 'succeeded') {
        assert.equal(body[link], 'https://shop.example.com')
      } else {
        // Where a host insists on a link it leads to the commit.
        assert.ok(
          body[link] === undefined || String(body[link]).endsWith(`/commits/${SHA}`),
          String(body[link]),
        )
      }
    }
  })
}

test('hosts that insist on a link get one to the commit itself when there is no other', () => {
  const bare = { appUrl: undefined }
  const at = (name: string) => bodies(converse(name, bare, {}, () => CREATED).requests)[0]?.url
  assert.equal(at('bitbucket'), `https://bitbucket.org/acme/shop/commits/${SHA}`)
  assert.equal(at('bitbucket-data-center'), `https://git.example.org/projects/web/repos/shop/commits/${SHA}`)
  const [key] = bodies(
    converse('bitbucket', { context: `fairlead/${'a'.repeat(40)}` }, {}, () => CREATED).requests,
  )
  assert.match(String(key?.key), /^[0-9a-f]{40}$/)
})

test('GitLab that has the state already counts as told', () => {
  const already = { message: 'Cannot transition status via :run from :running (Reason(s): …)' }
  assert.deepEqual(converse('gitlab', { state: 'running' }, {}, () => answer(400, already)).verdict, {
    kind: 'sent',
  })
  const other = converse('gitlab', {}, {}, () => answer(400, { message: 'sha is invalid' })).verdict
  assert.deepEqual(other, { kind: 'refused', reason: 'it answers 400: sha is invalid' })
})

test('GitLab below a path has that path in front of its projects', () => {
  const place = { api: 'https://example.org/gitlab/api/v4', repository: 'https://example.org/gitlab/a/b.git' }
  const [request] = converse('gitlab', {}, place, () => CREATED).requests
  assert.match(request?.url ?? '', /\/gitlab\/api\/v4\/projects\/a%2Fb\/statuses\//)
})

test('GitHub gets a deployment of the environment, and its later states go to the same one', () => {
  const first = converse('github', { state: 'running' }, {}, githubAnswers(77))
  assert.deepEqual(first.verdict, { kind: 'sent', remote: '77' })
  const [status, made, begun] = first.requests
  assert.match(status?.url ?? '', /\/statuses\/3d7f/)
  assert.match(made?.url ?? '', /\/repos\/acme\/shop\/deployments$/)
  assert.deepEqual(JSON.parse(made?.body ?? ''), {
    ref: SHA,
    environment: 'shop',
    description: 'Is being deployed',
    auto_merge: false,
    required_contexts: [],
    payload: { fairlead: 'd1' },
  })
  assert.match(begun?.url ?? '', /\/deployments\/77\/statuses$/)
  assert.equal(JSON.parse(begun?.body ?? '').state, 'in_progress')
  const last = converse('github', { state: 'succeeded', remote: '77' }, {}, githubAnswers(99))
  assert.deepEqual(
    last.requests.map(each => each.url.split('/').slice(-2).join('/')),
    [`statuses/${SHA}`, '77/statuses'],
  )
  assert.deepEqual(bodies(last.requests)[1], {
    state: 'success',
    description: 'Is being deployed',
    environment_url: 'https://shop.example.com',
    auto_inactive: true,
  })
})

test('GitHub is asked for the deployment of an attempt that was interrupted, instead of making a second one', () => {
  const other = { id: 5, payload: { fairlead: 'another' } }
  const mine = { id: 6, payload: JSON.stringify({ fairlead: 'd1' }) }
  const { requests, verdict } = converse('github', { isRetry: true }, {}, request =>
    request.method === 'GET' ? answer(200, [other, mine]) : githubAnswers(99)(request),
  )
  assert.deepEqual(verdict, { kind: 'sent', remote: '6' })
  assert.deepEqual(
    requests.map(each => each.method),
    ['POST', 'GET', 'POST'],
  )
})

test('GitHub hears nothing of a deployment that never began and ends without a result', () => {
  const { requests } = converse('github', { state: 'superseded' }, {}, githubAnswers(1))
  assert.equal(requests.length, 1)
})

test('an answer that a person must act on is told from one that time heals', () => {
  for (const status of [400, 401, 403, 404, 422]) {
    assert.equal(judge(answer(status, { message: 'no' })).kind, 'refused', String(status))
  }
  for (const status of [408, 425, 429, 500, 502, 503]) {
    assert.equal(judge(answer(status, {})).kind, 'later', String(status))
  }
  assert.deepEqual(judge({ ...answer(403, {}), headers: { 'retry-after': '60' } }), {
    kind: 'later',
    reason: 'it answers 403',
    afterMs: 60_000,
  })
  assert.equal(judge({ ...answer(403, {}), headers: { 'x-ratelimit-remaining': '0' } }).kind, 'later')
  const hostile = judge(answer(404, { message: `a\u001b[31m\r\nb${'x'.repeat(500)}` }))
  assert.match(hostile.kind === 'refused' ? hostile.reason : '', /^it answers 404: a \[31m bx{1,160}$/)
})

test('every host that can be told is told here, and the others are known not to be', () => {
  const can = GIT_HOSTS.filter(host => host.reporting).map(host => host.name)
  assert.deepEqual(can.sort(), [...Object.keys(HOSTS), 'forgejo', 'gitlab-token'].sort())
})

function converse(
  name: string,
  report: Partial<Report>,
  place: Partial<ReportPlace>,
  respond: (request: HttpRequest) => HttpAnswer,
): { readonly requests: readonly HttpRequest[]; readonly verdict: Verdict } {
  const known = HOSTS[name]
  const reporting = gitHostNamed(name)?.reporting
  assert.ok(known && reporting)
  const requests: HttpRequest[] = []
  const exchange = reporting.report({ ...REPORT, ...report }, { ...placeOf(known), ...place })
  let turn = exchange.next()
  while (!turn.done) {
    requests.push(turn.value)
    turn = exchange.next(respond(turn.value))
  }
  return { requests, verdict: turn.value }
}

const REPORT: Report = {
  commit: SHA,
  state: 'running',
  context: 'fairlead/shop',
  environment: 'shop',
  description: 'Is being deployed',
  appUrl: 'https://shop.example.com',
  deployment: 'd1',
  remote: undefined,
  isRetry: false,
}

function placeOf({ api, repository }: Known): ReportPlace {
  return { api, repository, token: new Secret('t0ken'), username: undefined, deployments: true }
}

function githubAnswers(id: number): (request: HttpRequest) => HttpAnswer {
  return ({ url }) => answer(201, url.endsWith('/deployments') ? { id } : { id: 1 })
}

function bodies(requests: readonly HttpRequest[]): Record<string, unknown>[] {
  return requests.map(each => JSON.parse(each.body ?? '') as Record<string, unknown>)
}

function answer(status: number, body: unknown): HttpAnswer {
  return { status, headers: {}, body: JSON.stringify(body) }
}
