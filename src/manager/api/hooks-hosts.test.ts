import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { GitHost } from '#git-hosts/git-host.ts'
import { GIT_HOSTS, gitHostNamed } from '#git-hosts/index.ts'
import { pushesByVisibility, type Sample, samplesOf, signedHeaders } from '#git-hosts/test-deliveries.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'

interface Hook {
  readonly url: string
  readonly secret: string
  readonly setup: readonly string[]
}

const NAMED = Object.fromEntries(GIT_HOSTS.map(host => [host.name, host])) as Record<string, GitHost>
let manager: TestServer
let base = ''

before(async () => {
  manager = await testServer()
  await seedApp(manager, 'shop')
  base = await manager.server.listen({ host: '127.0.0.1', port: 0 })
})
after(() => manager.close())

for (const host of GIT_HOSTS) {
  for (const branch of ['main', 'develop']) {
    test(`R21 R89 W30 W31 W32 W34 every sample of ${host.name} gets the right answer for an app on ${branch}`, async () => {
      const { repository, samples } = samplesOf(host)
      const hook = await aHook(host.name, { url: repository, branch })
      for (const sample of samples) {
        const { status, answer } = await deliver(host, hook, sample)
        const [kind, ...words] = sample.says.split(' ')
        const about = `${sample.about}: ${JSON.stringify(answer)}`
        if (kind === 'refused') {
          assert.deepEqual([status, answer.error], [422, 'payload-not-understood'], about)
        } else if (kind === 'ignored') {
          assert.deepEqual([status, answer.ignored], [200, words[0]], about)
        } else if (words.length === 0 || words.includes(branch)) {
          assert.deepEqual([status, (answer.deployments as unknown[]).length], [202, 1], about)
        } else {
          assert.deepEqual([status, answer.ignored], [200, 'other-branch'], about)
        }
      }
    })
  }

  test(`W29 an event of a repository with another address is refused for ${host.name}`, async () => {
    const { repository, samples } = samplesOf(host)
    const sample = samples.find(each => each.says === 'push main' && 'repository' in each.body) as Sample
    const other = repository.replace(/[^/]+$/, 'other.git')
    const hook = await aHook(host.name, { url: other, branch: 'main' })
    const { status, answer } = await deliver(host, hook, sample)
    assert.deepEqual([status, answer.error], [403, 'other-repository'])
    assert.deepEqual(await manager.parts.db.selectFrom('deliveries').selectAll().execute(), [])
  })
}

for (const host of GIT_HOSTS) {
  const pushes = pushesByVisibility(host)
  if (pushes) {
    test(`R55 a push tells whether the repository is private at ${host.name}, and one sent again tells nothing`, async () => {
      const { db } = manager.parts
      const hook = await aHook(host.name, { url: samplesOf(host).repository, branch: 'main' })
      await db.updateTable('repositories').set({ is_private: null }).execute()
      const seen = async (sample: Sample, odd: Odd = {}) => {
        await deliver(host, hook, sample, odd)
        return (await db.selectFrom('repositories').select('is_private').executeTakeFirstOrThrow()).is_private
      }
      const first = { headers: host.headers.delivery ? { [host.headers.delivery]: 'first' } : {} }
      if (host.name === 'github') {
        const forged = { headers: { [host.headers.signature]: 'sha256=0' } }
        assert.equal(await seen(pushes.closed, forged), null)
      }
      assert.equal(await seen(pushes.closed, host.headers.timestamp ? {} : first), 1)
      for (const open of pushes.open) {
        await db.updateTable('repositories').set({ is_private: 1 }).execute()
        assert.equal(await seen(open), 0, JSON.stringify(open.body))
      }
      if (!host.headers.timestamp) {
        assert.equal(await seen(pushes.closed, first), 0)
      }
    })
  }
}

for (const host of GIT_HOSTS.filter(({ headers }) => headers.delivery !== undefined)) {
  test(`W18 a delivery of ${host.name} under another id is the same one until it failed or another push came, unless ids are signed`, async () => {
    const { db } = manager.parts
    const { repository, samples } = samplesOf(host)
    const sample = samples.find(each => each.says === 'push main') as Sample
    const hook = await aHook(host.name, { url: repository, branch: 'main' })
    const first = await deliver(host, hook, sample)
    await db.updateTable('deployments').set({ state: 'succeeded' }).execute()
    const again = await deliver(host, hook, sample)
    if (host.headers.timestamp !== undefined) {
      assert.equal(again.status, 202)
      return
    }
    assert.deepEqual([again.status, again.answer.deployments], [200, first.answer.deployments])
    await db.updateTable('deployments').set({ state: 'failed' }).execute()
    assert.equal((await deliver(host, hook, sample)).status, 202)
    await db.updateTable('deployments').set({ state: 'succeeded' }).execute()
    const later = await deliver(host, hook, { ...sample, body: { ...sample.body, more: 1 } })
    assert.equal(later.status, 202)
    if (!host.headers.deliveryIsNew) {
      assert.equal((await deliver(host, hook, sample)).status, 202)
    }
  })
}

test('W18 a sender without ids that says the same of every push starts one deployment in half a minute', async t => {
  const { db, clock } = manager.parts
  const host = named('hmac')
  const { repository, samples } = samplesOf(host)
  const sample = samples.find(each => each.says === 'push main') as Sample
  const hook = await aHook(host.name, { url: repository, branch: 'main' })
  const begin = Math.ceil(Date.now() / 60_000) * 60_000
  let passed = 0
  // Once: of several on each other only the last would be taken back.
  t.mock.method(clock, 'now', () => begin + passed * 1000)
  const at = async (seconds: number) => {
    passed = seconds
    const { status } = await deliver(host, hook, sample)
    await db.updateTable('deployments').set({ state: 'succeeded' }).execute()
    return status
  }
  assert.deepEqual(
    [await at(0), await at(29), await at(31), await at(59), await at(61)],
    [202, 200, 202, 200, 202],
  )
})

for (const host of GIT_HOSTS) {
  test(`signed text that would keep a pattern busy for hours is answered at once for ${host.name}`, async () => {
    const { repository, samples } = samplesOf(host)
    const sample = samples.find(each => each.says === 'push main' && 'repository' in each.body) as Sample
    const hook = await aHook(host.name, { url: repository, branch: 'main' })
    const { repository: named } = sample.body as { repository: object }
    const slashes = (length: number) => `a${'/'.repeat(length)}x`
    const fields = Object.entries(named)
    const hostile = fields.map(([name, value]) => [
      name,
      typeof value === 'string' ? slashes(4_000_000 / fields.length) : value,
    ])
    for (const changed of [slashes(4_000_000), Object.fromEntries(hostile)]) {
      const body = { ...sample.body, repository: changed }
      const { status } = await deliver(host, hook, { ...sample, body })
      assert.ok(status < 500 && status !== 413, String(status))
    }
  })
}

test('W05 a SHA-256 in X-Hub-Signature is right for Bitbucket and refused for GitHub', async () => {
  const [sample] = samplesOf(named('bitbucket')).samples as [Sample]
  const hook = await aHook('bitbucket', { url: 'https://bitbucket.org/acme/site.git', branch: 'main' })
  assert.equal((await deliver(named('bitbucket'), hook, sample)).status, 202)
  const other = await aHook('github', { url: 'https://github.com/acme/site.git', branch: 'main' })
  assert.equal((await deliver(named('bitbucket'), other, sample)).status, 401)
})

test('W09 W10 a GitLab delivery without signature, or signed too long ago, is refused and leaves no row', async () => {
  const gitlab = named('gitlab')
  const { repository, samples } = samplesOf(gitlab)
  const [sample] = samples as [Sample]
  const hook = await aHook('gitlab', { url: repository, branch: 'main' })
  const token = { 'webhook-signature': '', 'x-gitlab-token': hook.secret }
  assert.equal((await deliver(gitlab, hook, sample, { headers: token })).status, 401)
  for (const seconds of [-301, 302]) {
    assert.equal((await deliver(gitlab, hook, sample, { at: Date.now() + seconds * 1000 })).status, 401)
  }
  assert.deepEqual(await manager.parts.db.selectFrom('deliveries').selectAll().execute(), [])
  assert.equal((await deliver(gitlab, hook, sample)).status, 202)
})

test('W32 the unsigned test of Bitbucket Data Center is answered and leaves no row', async () => {
  const host = named('bitbucket-data-center')
  const hook = await aHook(host.name, { url: samplesOf(host).repository, branch: 'main' })
  const sample = { about: 'a test', event: 'diagnostics:ping', body: { test: true }, says: 'ignored ping' }
  const { status, answer } = await deliver(host, hook, sample, { headers: { 'x-hub-signature': '' } })
  assert.deepEqual([status, answer], [200, { delivery: 'test', ignored: 'ping' }])
  assert.deepEqual(await manager.parts.db.selectFrom('deliveries').selectAll().execute(), [])
  const unknown = { ...hook, url: hook.url.replace(/[^/]+$/, 'AAAAAAAAAAAAAAAAAAAAAA') }
  assert.equal((await deliver(host, unknown, sample, { headers: { 'x-hub-signature': '' } })).status, 401)
})

test('a GitLab that is too old to send an id is understood', async () => {
  const host = named('gitlab-token')
  const { repository, samples } = samplesOf(host)
  const hook = await aHook(host.name, { url: repository, branch: 'main' })
  const old = { headers: { 'idempotency-key': undefined } }
  assert.equal((await deliver(host, hook, samples[0] as Sample, old)).status, 202)
})

test('a secret that the Git host made is taken when it has the form of one', async () => {
  const path = '/api/v1/repositories/shop-repo/webhook-secret'
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  const taken = await manager.ask('POST', path, { git_host: 'gitlab', secret })
  assert.equal(taken.json().secret, secret)
  for (const misfit of ['whsec_c2hvcnQtb25l', 'only-some-other-text-of-nobody']) {
    const refused = await manager.ask('POST', path, { git_host: 'gitlab', secret: misfit })
    assert.deepEqual([refused.statusCode, refused.json().code], [422, 'WEBHOOK_SECRET_MISFIT'])
    assert.ok(!refused.body.includes(misfit))
  }
})

for (const [url, gitHost] of [
  ['https://github.com/acme/site.git', 'github'],
  ['git@gitlab.com:acme/site.git', 'gitlab'],
  ['ssh://git@codeberg.org/acme/site.git', 'forgejo'],
  ['https://bitbucket.org/acme/site.git', 'bitbucket'],
  ['https://git.example.org/github.com/site.git', 'hmac'],
] as const) {
  test(`the webhook of ${url} is of the kind ${gitHost} when nobody says otherwise`, async () => {
    const hook = await aHook(undefined, { url, branch: 'main' })
    assert.deepEqual(hook.setup, gitHostNamed(gitHost)?.setup)
  })
}

function named(name: string): GitHost {
  return NAMED[name] as GitHost
}

async function aHook(gitHost: string | undefined, remote: { url: string; branch: string }): Promise<Hook> {
  const { db } = manager.parts
  await db.deleteFrom('hooks').execute()
  await db.deleteFrom('deployments').execute()
  await db.updateTable('repositories').set(remote).execute()
  const body = gitHost === undefined ? {} : { git_host: gitHost }
  return (await manager.ask('POST', '/api/v1/repositories/shop-repo/webhook-secret', body)).json()
}

interface Odd {
  /** Replaced headers; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly at?: number
}

/** Over a socket, as the host sends it. */
async function deliver(host: GitHost, hook: Hook, { event, body }: Sample, odd: Odd = {}) {
  const text = JSON.stringify(body)
  const signing = { secret: hook.secret, body: text, event, id: randomUUID(), at: odd.at ?? Date.now() }
  const headers = Object.entries({ ...signedHeaders(host, signing), ...odd.headers })
  const response = await fetch(new URL(new URL(hook.url).pathname, base), {
    method: 'POST',
    headers: [
      ['content-type', 'application/json; charset=utf-8'],
      ...headers.filter((header): header is [string, string] => header[1] !== undefined),
    ],
    body: text,
  })
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> }
}
