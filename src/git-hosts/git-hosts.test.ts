import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { FairleadError } from '#lib/errors.ts'
import { github } from './github.ts'
import { hmac } from './hmac.ts'
import { GIT_HOSTS, gitHostNamed } from './index.ts'

const SECRET = "It's a Secret to Everybody"
const BODY = Buffer.from('Hello, World!')
const HEX = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'

test('the published vectors of GitHub and of the plain scheme verify', () => {
  assert.ok(verifies(github, `sha256=${HEX}`))
  const plain = Buffer.from('{"stack":"media"}')
  const signature = 'f3e4cb99a187c9212c7965f265cbeb52788c98fa9a2c76c5c45fab3d8f4dd9af'
  assert.ok(hmac.verify({ headers: { 'x-signature': signature }, body: plain }, ['s3cr3t']))
  assert.ok(hmac.verify({ headers: { 'x-signature': `sha256=${signature}` }, body: plain }, ['s3cr3t']))
})

for (const host of GIT_HOSTS) {
  const prefix = host.name === 'github' ? 'sha256=' : ''
  for (const [what, signature] of [
    ['none', undefined],
    ['an empty one', ''],
    ['upper case', `${prefix}${HEX.toUpperCase()}`],
    ['63 characters', `${prefix}${HEX.slice(1)}`],
    ['65 characters', `${prefix}${HEX}0`],
    ['no hex', `${prefix}${'z'.repeat(64)}`],
    ['zeros', `${prefix}${'0'.repeat(64)}`],
    ['a sha1', 'sha1=0d3e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4'],
    ['a sha512 prefix', `sha512=${HEX}`],
    ['two joined', `${prefix}${HEX}, ${prefix}${HEX}`],
  ] as const) {
    test(`W01 W03 W04 ${host.name} refuses ${what} as a signature`, () => {
      assert.equal(verifies(host, signature), false)
    })
  }

  test(`W02 W08 ${host.name} verifies the very bytes`, () => {
    const body = Buffer.from('{"ref":"refs/heads/caf\\u00e9","a":1}\r\n')
    const hex = createHmac('sha256', SECRET).update(body).digest('hex')
    const headers = { [host.headers.signature]: prefix + hex }
    assert.ok(host.verify({ headers, body }, [SECRET]))
    const others = [
      '{"ref":"refs/heads/café","a":1}\r\n',
      '{"ref":"refs/heads/caf\\u00e9","a":1}\n',
      '{"a":1,"ref":"refs/heads/caf\\u00e9"}\r\n',
    ]
    for (const other of others) {
      assert.equal(host.verify({ headers, body: Buffer.from(other) }, [SECRET]), false)
    }
  })

  test(`W07 ${host.name} accepts the current and the previous secret and nothing without secrets`, () => {
    const hex = createHmac('sha256', 'old').update(BODY).digest('hex')
    const delivery = { headers: { [host.headers.signature]: prefix + hex }, body: BODY }
    assert.ok(host.verify(delivery, ['new', 'old']))
    assert.equal(host.verify(delivery, ['new']), false)
    assert.equal(host.verify(delivery, []), false)
    const withEmpty = createHmac('sha256', '').update(BODY).digest('hex')
    const unsigned = { headers: { [host.headers.signature]: prefix + withEmpty }, body: BODY }
    assert.equal(host.verify(unsigned, ['']), false)
  })
}

test('W05 GitHub does not look at X-Hub-Signature, whatever it says', () => {
  assert.equal(
    github.verify({ headers: { 'x-hub-signature': `sha256=${HEX}` }, body: BODY }, [SECRET]),
    false,
  )
})

test('W12 an empty body cannot be signed', () => {
  const signature = createHmac('sha256', SECRET).update('').digest('hex')
  assert.equal(hmac.verify({ headers: { 'x-signature': signature }, body: Buffer.alloc(0) }, [SECRET]), false)
})

for (const [ref, expected] of [
  ['refs/heads/main', 'push main'],
  ['refs/heads/feature/a', 'push feature/a'],
  ['refs/heads/refs/heads/x', 'push refs/heads/x'],
  ['refs/heads/--upload-pack=x', 'push --upload-pack=x'],
  ['refs/tags/main', 'ignored not-a-branch'],
  ['refs/notes/x', 'ignored not-a-branch'],
  ['refs/pull/1/merge', 'ignored not-a-branch'],
  ['main', 'ignored not-a-branch'],
] as const) {
  test(`W33 ${ref} is "${expected}" from every host`, () => {
    const body = { ref, before: 'a'.repeat(40), after: 'b'.repeat(40), repository: { id: 1 } }
    for (const host of GIT_HOSTS) {
      const event = host.read({ headers: { 'x-github-event': 'push' }, body: BODY }, body)
      assert.equal(event.kind === 'push' ? `push ${event.branch}` : `ignored ${event.reason}`, expected)
    }
  })
}

test('W30 a deleted branch is ignored', () => {
  const body = {
    ref: 'refs/heads/main',
    before: 'a'.repeat(40),
    after: '0'.repeat(40),
    repository: { id: 1 },
  }
  assert.deepEqual(githubSays('push', body), { kind: 'ignored', reason: 'branch-deleted', remoteId: '1' })
})

test('W31 only a merged pull request counts, also one whose fork is gone', () => {
  const closed = {
    action: 'closed',
    pull_request: {
      merged: false,
      merge_commit_sha: 'a'.repeat(40),
      base: { ref: 'develop' },
      head: { repo: null },
    },
    repository: { id: 7 },
  }
  assert.equal(githubSays('pull_request', closed).kind, 'ignored')
  const merged = { ...closed, pull_request: { ...closed.pull_request, merged: true } }
  assert.deepEqual(githubSays('pull_request', merged), { kind: 'push', branch: 'develop', remoteId: '7' })
})

test('W32 W34 a ping without repository and an unknown event are ignored', () => {
  assert.deepEqual(githubSays('ping', { zen: 'Keep it' }), {
    kind: 'ignored',
    reason: 'ping',
    remoteId: undefined,
  })
  const future = githubSays('future', { repository: { id: 9 } })
  assert.deepEqual(future, { kind: 'ignored', reason: 'event', remoteId: '9' })
})

test('W34 a push that is not worded like one is refused with what is missing', () => {
  assert.throws(
    () => githubSays('push', { ref: 1 }),
    error => error instanceof FairleadError && error.status === 422 && (error.problems?.length ?? 0) > 0,
  )
})

test('a plain body without ref means: look at the repository', () => {
  const event = hmac.read({ headers: {}, body: BODY }, { anything: true })
  assert.deepEqual(event, { kind: 'push', branch: undefined, remoteId: undefined })
})

test('hosts are found by name', () => {
  assert.equal(gitHostNamed('github'), github)
  assert.equal(gitHostNamed('constructor'), undefined)
})

function verifies(host: typeof github, signature: string | undefined): boolean {
  return host.verify({ headers: { [host.headers.signature]: signature }, body: BODY }, [SECRET])
}

function githubSays(event: string, body: unknown) {
  return github.read({ headers: { 'x-github-event': event }, body: BODY }, body)
}
