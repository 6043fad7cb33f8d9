import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, test } from 'node:test'
import type { RepositoryDocument } from '#contract/rest/repositories.ts'
import { serverOf } from '#git-hosts/repository-path.ts'
import { systemClock } from '#lib/clock.ts'
import { seedApp, type TestServer, testServer } from '#manager/api/test-server.ts'
import { finishDeployment } from '#manager/deployments/finish.ts'
import { readDeployment } from '#manager/deployments/queries.ts'
import type { WithoutEffect } from '#manager/deployments/without-effect.ts'
import type { EndedPipeline } from '#manager/pipeline/step.ts'
import { isPublicAddress } from './public-address.ts'
import type { ReportNote } from './report-note.ts'
import { reportText } from './report-text.ts'

const SHA = 'ab12'.repeat(10)
const FAILED: EndedPipeline = { state: 'failed', outcome: 'failed', failedStep: 'build' }

interface Heard {
  readonly line: string
  readonly headers: IncomingMessage['headers']
  readonly body: Record<string, unknown>
}

let gitHost: Server
let api: string
let server: TestServer
const heard: Heard[] = []
let respond: (line: string) => { status: number; body: unknown }

before(async () => {
  gitHost = createServer(async (request, response) => {
    const line = `${request.method} ${request.url}`
    const body = await text(request)
    heard.push({ line, headers: request.headers, body: body === '' ? {} : JSON.parse(body) })
    const answer = respond(line)
    response.writeHead(answer.status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer.body))
  })
  gitHost.listen(0, '127.0.0.1')
  await new Promise(resolve => gitHost.once('listening', resolve))
  api = `http://127.0.0.1:${(gitHost.address() as AddressInfo).port}/api`
  server = await testServer({
    environment: {
      FAIRLEAD_ALLOW_PRIVATE: '127.0.0.0/8',
      FAIRLEAD_PUBLIC_URL: 'https://fairlead.example.com',
    },
  })
  const { repository, app } = await seedApp(server, 'shop')
  const { db } = server.parts
  const url = 'https://git.example.org/acme/x.git'
  await db.updateTable('repositories').set({ url }).where('id', '=', repository).execute()
  await db.insertInto('domains').values({ host: 'shop.example.com', app_id: app }).execute()
})

after(async () => {
  await server.close()
  gitHost.closeAllConnections()
  gitHost.close()
})

beforeEach(() => {
  heard.length = 0
  respond = line => ({ status: 201, body: line.endsWith('/deployments') ? { id: 7 } : {} })
})

test('a deployment is followed by its Git host from the request to the end', async () => {
  await set({ git_host: 'github', api, token: 'gh-t0ken' })
  const id = await deploy()
  await heardOf(3)
  await finish(id, { state: 'succeeded', outcome: 'deployed', domains: ['shop.example.com'] })
  await heardOf(5)
  assert.deepEqual(
    heard.map(({ line, body }) => `${line} ${body.state ?? ''}`.trim()),
    [
      `POST /api/repos/acme/x/statuses/${SHA} pending`,
      'POST /api/repos/acme/x/deployments',
      'POST /api/repos/acme/x/deployments/7/statuses queued',
      `POST /api/repos/acme/x/statuses/${SHA} success`,
      'POST /api/repos/acme/x/deployments/7/statuses success',
    ],
  )
  const [first] = heard
  const last = heard.at(-1)
  assert.equal(first?.headers.authorization, 'Bearer gh-t0ken')
  assert.equal(first?.body.context, 'fairlead/shop')
  assert.equal(first?.body.target_url, undefined)
  assert.equal(last?.body.environment_url, 'https://shop.example.com/')
})

test('a refusal is the repository’s problem, written down once and gone with the next success', async () => {
  await set({ git_host: 'gitea', api, token: 'wrong' })
  respond = () => ({ status: 401, body: { message: 'token is required' } })
  const warned = () => server.recorded.logged.filter(({ event }) => event === 'outbox.problem').length
  const before = warned()
  const id = await deploy()
  await heardOf(1)
  await finish(id, FAILED)
  await heardOf(2)
  const { report } = await until(read, ({ report: set }) => set?.problem !== null)
  assert.equal(report?.problem?.code, 'REPORT_REFUSED')
  assert.match(report?.problem?.message ?? '', /it answers 401: token is required/)
  assert.equal(warned() - before, 1)
  assert.equal((await readDeployment(server.parts.db, id)).state, 'failed')
  respond = () => ({ status: 201, body: {} })
  await cancel(await deploy())
  await until(read, ({ report: set }) => set?.problem === null)
})

test('R03 nobody reads the token again: not in answers, not in the log, not in the database', async () => {
  await set({ git_host: 'gitlab', api, token: 'glpat-canary-0123456789' })
  const answer = await server.ask('GET', '/api/v1/repositories/shop-repo')
  const rows = await server.parts.db.selectFrom('reports').selectAll().execute()
  for (const place of [answer.body, JSON.stringify(server.recorded.logged), JSON.stringify(rows)]) {
    assert.equal(place.includes('canary'), false)
  }
  assert.equal(answer.json<RepositoryDocument>().report?.token, 'own')
})

test('a stored token goes to no other address than the one that it was given for', async () => {
  await set({ git_host: 'gitea', api, token: 't0ken' })
  const other = await patch({ api: 'https://elsewhere.example.org/api/v1' })
  assert.deepEqual([other.statusCode, other.json().code], [422, 'REPORT_TOKEN_NEEDED'])
  // The credential’s password was given for the server of the repository.
  const credential = { kind: 'https', username: 'ada', password: 'password' }
  await server.ask('PATCH', '/api/v1/repositories/shop-repo', { credential })
  assert.equal((await set({ token: null })).token, 'none')
  const usual = await set({ api: 'https://git.example.org/api/v1' })
  assert.equal(usual.token, 'credential')
  // There is one Bitbucket Cloud, and this repository is not on it.
  assert.equal((await set({ git_host: 'bitbucket' })).token, 'none')
})

test('off, or without a token, nothing is put in line', async () => {
  const count = async () => (await server.parts.db.selectFrom('outbox').selectAll().execute()).length
  const before = await count()
  for (const change of [
    { on: false, api, token: 't0ken' },
    { on: true, token: null },
  ]) {
    await set({ git_host: 'gitea', ...change })
    await cancel(await deploy())
  }
  assert.equal(await count(), before)
  assert.deepEqual(heard, [])
})

test('a kind of Git host that takes no reports is refused in words', async () => {
  const answer = await patch({ git_host: 'gogs' })
  assert.deepEqual([answer.statusCode, answer.json().code], [422, 'REPORT_HOST_UNKNOWN'])
  const bad = await patch({ git_host: 'gitea', api: 'https://user:pass@example.org/' })
  assert.deepEqual([bad.statusCode, bad.json().code], [422, 'REPORT_API_INVALID'])
})

test('strangers read no private address and no words of errors, unless details are wanted', () => {
  const note = {
    app: 'shop',
    deployment: 'd',
    commit: SHA,
    state: 'failed',
    failedStep: 'push',
    error: { code: 'PUSH_REFUSED', message: `registry.corp:5000 says no ${'x'.repeat(200)}` },
    domains: ['shop.localhost'],
  } as const
  const shy = reportText(note, { details: false })
  assert.equal(shy.description, 'Failed in step push (PUSH_REFUSED)')
  assert.equal(shy.appUrl, undefined)
  const open = reportText(note, { details: true })
  assert.match(open.description, /registry\.corp:5000 says no x+…$/)
  assert.equal([...open.description].length, 140)
})

const ENDS: Readonly<Record<WithoutEffect | 'deployed' | 'rolled-back', readonly unknown[]>> = {
  deployed: ['succeeded', 'Deployed and verified in 2 s', 'https://shop.example.com/'],
  'rolled-back': ['succeeded', 'Rolled back to this commit in 2 s', 'https://shop.example.com/'],
  'nothing-to-do': ['succeeded', 'Nothing to do: exactly this runs already', 'https://shop.example.com/'],
  unaffected: ['succeeded', 'Not affected: nothing that belongs to this app changed', undefined],
  'own-commit': ['skipped', 'Nothing to deploy: Fairlead pushed this commit itself', undefined],
  'skipped-by-message': ['superseded', 'Not deployed: the message of the commit asks for that', undefined],
  'held-by-rollback': ['superseded', 'Not deployed: the app was rolled back from this commit', undefined],
  'files-gone': ['superseded', 'Not deployed: the app is wanted no more and is removed', undefined],
  'not-asked': ['superseded', 'Not deployed: the message of the commit asks for other apps', undefined],
  'dry-run': ['superseded', 'Not deployed: the message of the commit asks for the plan alone', undefined],
  built: ['superseded', 'Built, not deployed: the message of the commit asks for that', undefined],
}

for (const [outcome, expected] of Object.entries(ENDS)) {
  test(`a commit whose deployment ends as ${outcome} is reported as that, and as deployed only if it was`, () => {
    const note: ReportNote = {
      app: 'shop',
      deployment: 'd',
      commit: SHA,
      state: 'succeeded',
      outcome,
      seconds: 2,
      domains: ['shop.example.com'],
    }
    const text = reportText(note, { details: true })
    assert.deepEqual([text.state, text.description, text.appUrl], expected)
  })
}

test('the address that a Git host is told has the port of the proxy', () => {
  const note = { app: 'shop', deployment: 'd', commit: SHA, state: 'succeeded', outcome: 'deployed' } as const
  const visitors = { httpPort: 8080, httpsPort: 8443 }
  const text = reportText({ ...note, domains: ['shop.example.com'], visitors }, { details: false })
  assert.equal(text.appUrl, 'https://shop.example.com:8443/')
})

test('an address is public only where the internet knows it', () => {
  for (const url of ['https://example.com', 'https://1.1.1.1/x', 'https://[2606:4700::1]/']) {
    assert.equal(isPublicAddress(url), true, url)
  }
  for (const host of [
    'localhost',
    'shop.localhost',
    'box',
    'box.local',
    'git.corp',
    'nas.home.arpa',
    '10.1.2.3',
    '[::1]',
  ]) {
    assert.equal(isPublicAddress(`https://${host}/`), false, host)
  }
})

test('the server of an address is found in every form', () => {
  const servers = {
    'https://git.example.org:8443/a/b.git': 'git.example.org:8443',
    'ssh://git@git.example.org:2222/a/b.git': 'git.example.org',
    'git@github.com:a/b.git': 'github.com',
    'ssh://git@ssh.github.com:443/a/b.git': 'github.com',
    'ssh://git@altssh.bitbucket.org:443/a/b.git': 'bitbucket.org',
    'git@[2001:db8::1]:a/b.git': '[2001:db8::1]',
  }
  for (const [address, server] of Object.entries(servers)) {
    assert.equal(serverOf(address), server)
  }
})

async function patch(report: object) {
  return await server.ask('PATCH', '/api/v1/repositories/shop-repo', { report })
}

async function set(report: object) {
  const answer = await patch(report)
  assert.equal(answer.statusCode, 200, answer.body)
  const { report: now } = answer.json<RepositoryDocument>()
  assert.ok(now)
  return now
}

async function read(): Promise<RepositoryDocument> {
  return (await server.ask('GET', '/api/v1/repositories/shop-repo')).json()
}

async function deploy(): Promise<string> {
  const answer = await server.ask('POST', '/api/v1/apps/shop/deploy', { commit: SHA })
  assert.equal(answer.statusCode, 202, answer.body)
  return answer.json().id
}

async function cancel(id: string): Promise<void> {
  const answer = await server.ask('POST', `/api/v1/deployments/${id}/cancel`)
  assert.equal(answer.statusCode < 300, true, answer.body)
}

async function finish(id: string, end: EndedPipeline): Promise<void> {
  const { parts } = server
  await finishDeployment(parts, await readDeployment(parts.db, id), end)
}

async function heardOf(count: number): Promise<void> {
  await until(
    async () => heard.length,
    length => length >= count,
  )
}

async function until<T>(look: () => Promise<T>, isRight: (value: T) => boolean): Promise<T> {
  const deadline = systemClock.monotonic() + 60_000
  for (;;) {
    const value = await look()
    if (isRight(value)) {
      return value
    }
    assert.ok(systemClock.monotonic() < deadline, JSON.stringify(value))
    await systemClock.sleep(5)
  }
}
