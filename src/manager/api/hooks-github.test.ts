import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { after, before, test } from 'node:test'
import { seedApp, type TestServer, testServer } from './test-server.ts'

interface Definition {
  readonly name: string
  readonly examples: readonly Record<string, unknown>[]
}

const SECRET_PATH = '/api/v1/repositories/shop-repo/webhook-secret'
const require = createRequire(import.meta.url)
const EXAMPLES = '@octokit/webhooks-examples'
const SOURCES = readdirSync(dirname(require.resolve(`${EXAMPLES}/package.json`)), { withFileTypes: true })
  .filter(entry => entry.isDirectory())
  .map(entry => entry.name)
/** Of the examples of github.com. */
const REASONS = ['event', 'not-a-branch', 'not-merged', 'ping', 'taken']
let manager: TestServer
let base = ''
let hook = { path: '', secret: '' }

before(async () => {
  manager = await testServer()
  await seedApp(manager, 'shop')
  await manager.parts.db.updateTable('repositories').set({ branch: 'master' }).execute()
  const { url, secret } = (await manager.ask('POST', SECRET_PATH, { git_host: 'github' })).json()
  hook = { path: new URL(url).pathname, secret }
  base = await manager.server.listen({ host: '127.0.0.1', port: 0 })
})
after(() => manager.close())

test('the examples come from GitHub and from several GitHub Enterprise Servers', () => {
  assert.ok(SOURCES.includes('api.github.com') && SOURCES.length >= 6, SOURCES.join())
})

for (const source of SOURCES) {
  test(`W31 W32 W34 every example of ${source} gets the right answer`, async () => {
    const definitions = require(`${EXAMPLES}/${source}/index.json`) as Definition[]
    let seen = 0
    const reasons = new Set<string>()
    for (const { name, examples } of definitions) {
      for (const example of examples) {
        const { status, answer } = await deliver(name, example)
        const reason = reasonOf(name, example)
        const about = `${name} ${example.action ?? example.ref}: ${JSON.stringify(answer)}`
        assert.deepEqual([status, answer.ignored], [reason === undefined ? 202 : 200, reason], about)
        reasons.add(reason ?? 'taken')
        seen += 1
      }
    }
    assert.ok(seen > 40, `${seen} examples`)
    assert.ok(
      ['event', 'ping'].every(reason => reasons.has(reason)),
      [...reasons].join(),
    )
    if (source === 'api.github.com') {
      assert.deepEqual([...reasons].sort(), REASONS)
    }
  })
}

test('R89 W31 a pull request that was merged into the branch starts a deployment', async () => {
  const definitions = require(`${EXAMPLES}/api.github.com/index.json`) as Definition[]
  const closed = definitions
    .find(({ name }) => name === 'pull_request')
    ?.examples.find(({ action }) => action === 'closed')
  assert.ok(closed)
  const pullRequest = closed.pull_request as { head: object; base: object }
  const { base } = pullRequest
  const merged = {
    ...closed,
    pull_request: { ...pullRequest, merged: true, head: { ...pullRequest.head, repo: null } },
  }
  assert.equal((await deliver('pull_request', closed)).answer.ignored, 'not-merged')
  assert.equal((await deliver('pull_request', merged)).status, 202)
  const elsewhere = { ...merged, pull_request: { ...merged.pull_request, base: { ...base, ref: 'other' } } }
  assert.equal((await deliver('pull_request', elsewhere)).answer.ignored, 'other-branch')
})

test('W30 W33 a push that deletes the branch, or moves another one, starts nothing', async () => {
  const definitions = require(`${EXAMPLES}/api.github.com/index.json`) as Definition[]
  const push = definitions
    .find(({ name }) => name === 'push')
    ?.examples.find(example => reasonOf('push', example) === undefined)
  assert.ok(push)
  const none = '0'.repeat(40)
  const deletes = { ...push, before: push.after, after: none, deleted: true, head_commit: null }
  for (const [example, reason] of [
    [deletes, 'branch-deleted'],
    [{ ...push, ref: 'refs/heads/other' }, 'other-branch'],
    [{ ...push, ref: 'refs/tags/master' }, 'not-a-branch'],
  ] as const) {
    const { status, answer } = await deliver('push', example)
    assert.deepEqual([status, answer.ignored], [200, reason])
  }
})

/** Why an example changes nothing for an app on master; undefined: it is deployed. */
function reasonOf(name: string, { ref, deleted }: Record<string, unknown>): string | undefined {
  switch (name) {
    case 'ping':
      return 'ping'
    case 'pull_request':
      return 'not-merged'
    case 'push':
      break
    default:
      return 'event'
  }
  if (!String(ref).startsWith('refs/heads/')) {
    return 'not-a-branch'
  }
  if (deleted) {
    return 'branch-deleted'
  }
  return ref === 'refs/heads/master' ? undefined : 'other-branch'
}

/** Over a socket. Examples come from many repositories: each is delivered as the first one of the hook, for the one that it is about. */
async function deliver(event: string, example: Record<string, unknown>) {
  const { full_name: path = 'x/x' } = (example.repository ?? {}) as { full_name?: string }
  await manager.parts.db.updateTable('hooks').set({ remote_id: null }).execute()
  await manager.parts.db
    .updateTable('repositories')
    .set({ url: `https://github.com/${path}.git` })
    .execute()
  const payload = JSON.stringify(example)
  const response = await fetch(new URL(hook.path, base), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-hub-signature-256': `sha256=${createHmac('sha256', hook.secret).update(payload).digest('hex')}`,
      'x-github-event': event,
      'x-github-delivery': randomUUID(),
    },
    body: payload,
  })
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> }
}
