import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { FairleadError } from '#lib/errors.ts'
import { bitbucket } from './bitbucket.ts'
import { bitbucketDataCenter } from './bitbucket-data-center.ts'
import type { GitHost } from './git-host.ts'
import { github } from './github.ts'
import { gitlab } from './gitlab.ts'
import { hmac } from './hmac.ts'
import { GIT_HOSTS, gitHostAt, gitHostNamed } from './index.ts'
import { isAddressOf } from './repository-path.ts'
import { standard } from './standard.ts'
import { pushesByVisibility, type Sample, samplesOf, saying, signedHeaders } from './test-deliveries.ts'

const NOW = 1_790_000_000_000
const TEXT = '{"ref":"refs/heads/caf\\u00e9","a":1}\r\n'
const BODY = Buffer.from(TEXT)

/** As they were recorded; the others never say. */
const WHAT_SAMPLES_SAY: Readonly<Record<string, boolean>> = {
  ...{ github: false, gitea: false, forgejo: false, gogs: false },
  ...{ gitlab: true, 'gitlab-token': true, bitbucket: true, 'bitbucket-data-center': true },
}

test('the published vectors of GitHub, of the plain scheme and of Standard Webhooks verify', () => {
  const hello = Buffer.from('Hello, World!')
  const hex = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'
  const known = { headers: { 'x-hub-signature-256': `sha256=${hex}` }, body: hello, receivedAt: NOW }
  assert.ok(github.verify(known, ["It's a Secret to Everybody"]))
  const plain = Buffer.from('{"stack":"media"}')
  const signature = 'f3e4cb99a187c9212c7965f265cbeb52788c98fa9a2c76c5c45fab3d8f4dd9af'
  for (const given of [signature, `sha256=${signature}`]) {
    assert.ok(hmac.verify({ headers: { 'x-signature': given }, body: plain, receivedAt: NOW }, ['s3cr3t']))
  }
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  }
  const timed = { headers, body: Buffer.from('{"test": 2432232314}'), receivedAt: 1_614_265_330_000 }
  for (const secret of ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw']) {
    assert.ok(standard.verify(timed, [secret]))
  }
})

for (const host of GIT_HOSTS) {
  const { signature } = host.headers
  const secret = secretFor(host)
  const right = signedHeaders(host, { secret, body: BODY, at: NOW })[signature] ?? ''

  test(`W01 W03 W04 ${host.name} refuses a signature that is not exactly right`, () => {
    assert.ok(verifies(host, secret, {}))
    const wrong = {
      none: undefined,
      empty: '',
      'upper case': right.toUpperCase(),
      'one less': right.slice(0, -1),
      'one more': `${right}0`,
      'not encoded': right.replace(/.{43}$/, 'z'.repeat(43)),
      zeros: right.replace(/.{43}$/, '0'.repeat(43)),
      'a sha1': 'sha1=0d3e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4',
      'another prefix': `sha512=${right.replace('sha256=', '')}`,
      'two joined': `${right},${right}`,
    }
    for (const [what, value] of Object.entries(wrong)) {
      assert.equal(verifies(host, secret, { [signature]: value }), false, what)
    }
  })

  test(`W07 ${host.name} accepts the current and the previous secret and nothing without secrets`, () => {
    const headers = signedHeaders(host, { secret, body: BODY, at: NOW })
    const delivery = { headers, body: BODY, receivedAt: NOW }
    assert.ok(host.verify(delivery, [secretFor(host), secret]))
    assert.equal(host.verify(delivery, [secretFor(host)]), false)
    assert.equal(host.verify(delivery, []), false)
    for (const empty of ['', 'whsec_']) {
      const unsigned = signedHeaders(host, { secret: empty, body: BODY, at: NOW })
      assert.equal(host.verify({ headers: unsigned, body: BODY, receivedAt: NOW }, ['']), false)
    }
  })

  if (host.name !== 'gitlab-token') {
    test(`W02 W08 ${host.name} verifies the very bytes`, () => {
      for (const other of [TEXT.replace('\\u00e9', 'é'), TEXT.replace('\r', ''), TEXT.replace('1', '1.0')]) {
        assert.equal(verifies(host, secret, {}, Buffer.from(other)), false)
      }
    })
  }

  const { repository, samples } = samplesOf(host)
  for (const { about, event, body, says } of samples) {
    const ids = [
      ...(says === 'push develop' ? ['R89', 'W31'] : []),
      ...(says.endsWith('branch-deleted') ? ['W30'] : []),
      ...(says.endsWith('ping') ? ['W32'] : []),
      ...(says.endsWith(' event') || says === 'refused' ? ['W34'] : []),
    ]
    test([...ids, host.name, 'says', `"${says}"`, 'of', about].join(' '), () => {
      const raw = {
        headers: signedHeaders(host, { secret, body: BODY, event, at: NOW }),
        body: BODY,
        receivedAt: NOW,
      }
      if (says === 'refused') {
        assert.throws(
          () => host.read(raw, body),
          error =>
            error instanceof FairleadError && error.status === 422 && (error.problems?.length ?? 0) > 0,
        )
        return
      }
      const read = host.read(raw, body)
      assert.equal(saying(read), says)
      const { remotePath } = read.origin
      assert.ok(remotePath === undefined || isAddressOf(repository, remotePath), String(remotePath))
      assert.ok(read.kind === 'ignored' || remotePath !== undefined || !('repository' in body))
    })
  }
}

for (const host of GIT_HOSTS) {
  const pushes = pushesByVisibility(host)
  const isPrivate = ({ event, body }: Sample) => {
    const headers = host.headers.event === undefined ? {} : { [host.headers.event]: event }
    return host.read({ headers, body: BODY, receivedAt: NOW }, body).origin.isPrivate
  }
  test(`R55 ${host.name} says ${pushes ? 'whether' : 'never that'} a repository is private`, () => {
    const [recorded] = samplesOf(host).samples as [Sample]
    assert.equal(isPrivate(recorded), WHAT_SAMPLES_SAY[host.name])
    if (pushes) {
      assert.equal(isPrivate(pushes.closed), true)
      assert.deepEqual(
        pushes.open.map(isPrivate),
        pushes.open.map(() => false),
      )
    }
  })
}

for (const odd of ['true', 1, null, undefined, {}]) {
  test(`R55 what is neither yes nor no says nothing of whether it is private: ${JSON.stringify(odd)}`, () => {
    const repository = { id: 1, uuid: '{1}', slug: 'x', project: { key: 'X' } }
    const told = { ...repository, private: odd, is_private: odd, public: odd }
    const level = typeof odd === 'number' ? String(odd) : odd
    const moved = { ref: 'refs/heads/main', before: 'a'.repeat(40), after: 'b'.repeat(40), project_id: 1 }
    const changes = [{ ref: { id: moved.ref }, type: 'UPDATE', new: { type: 'branch', name: 'main' } }]
    const project = { visibility_level: level }
    const body = { ...moved, object_kind: 'push', changes, push: { changes }, repository: told, project }
    for (const host of GIT_HOSTS) {
      const event = { bitbucket: 'repo:push', 'bitbucket-data-center': 'repo:refs_changed' }[host.name]
      const headers = { [host.headers.event ?? 'x']: event ?? 'push' }
      const read = host.read({ headers, body: BODY, receivedAt: NOW }, body)
      assert.deepEqual([read.kind, read.origin.isPrivate], ['push', undefined], host.name)
    }
  })
}

test('W05 the same header means SHA-256 for Bitbucket and nothing for GitHub', () => {
  const headers = signedHeaders(bitbucket, { secret: 'x', body: BODY, at: NOW })
  assert.ok(bitbucket.verify({ headers, body: BODY, receivedAt: NOW }, ['x']))
  assert.equal(github.verify({ headers, body: BODY, receivedAt: NOW }, ['x']), false)
})

test('W09 a GitLab hook with a signing token does not look at the secret token', () => {
  const secret = secretFor(gitlab)
  const headers = { ...signedHeaders(gitlab, { secret, body: BODY, at: NOW }), 'x-gitlab-token': secret }
  assert.ok(gitlab.verify({ headers, body: BODY, receivedAt: NOW }, [secret]))
  const stripped = { ...headers, 'webhook-signature': undefined }
  assert.equal(gitlab.verify({ headers: stripped, body: BODY, receivedAt: NOW }, [secret]), false)
})

for (const host of [gitlab, standard]) {
  test(`W10 ${host.name} refuses a time that is more than five minutes off or no time at all`, () => {
    const secret = secretFor(host)
    const signedAt = (timestamp: string) => {
      const id = 'msg_1'
      const made = signedHeaders(host, { secret, body: BODY, id, at: Number.parseInt(timestamp, 10) * 1000 })
      return host.verify(
        { headers: { ...made, 'webhook-timestamp': timestamp }, body: BODY, receivedAt: NOW },
        [secret],
      )
    }
    const seconds = NOW / 1000
    assert.ok(signedAt(String(seconds - 300)) && signedAt(String(seconds + 300)))
    const wrong = [seconds - 301, seconds + 301, -seconds, '1e309', `${seconds}abc`, '', ` ${seconds}`]
    for (const timestamp of wrong) {
      assert.equal(signedAt(String(timestamp)), false, String(timestamp))
    }
  })
}

test('Standard Webhooks may be signed with several keys, of which one is known', () => {
  const secret = secretFor(standard)
  const headers = signedHeaders(standard, { secret, body: BODY, at: NOW })
  const known = headers['webhook-signature'] ?? ''
  const others = `v2,xyz v1,${Buffer.alloc(32).toString('base64')}`
  const both = { ...headers, 'webhook-signature': `${others} ${known}` }
  assert.ok(standard.verify({ headers: both, body: BODY, receivedAt: NOW }, [secret]))
  const many = { ...headers, 'webhook-signature': `${'v1,a '.repeat(8)}${known}` }
  assert.equal(standard.verify({ headers: many, body: BODY, receivedAt: NOW }, [secret]), false)
})

test('W12 an empty body cannot be signed in the plain scheme', () => {
  const body = Buffer.alloc(0)
  const headers = signedHeaders(hmac, { secret: 'x', body, at: NOW })
  assert.equal(hmac.verify({ headers, body, receivedAt: NOW }, ['x']), false)
})

for (const [ref, says] of [
  ['refs/heads/feature/a', 'push feature/a'],
  ['refs/heads/refs/heads/x', 'push refs/heads/x'],
  ['refs/heads/--upload-pack=x', 'push --upload-pack=x'],
  ['refs/notes/x', 'ignored not-a-branch'],
  ['refs/pull/1/merge', 'ignored not-a-branch'],
  ['main', 'ignored not-a-branch'],
] as const) {
  test(`W33 ${ref} is "${says}" from every host that sends refs`, () => {
    const repository = { id: 1, slug: 'x', project: { key: 'X' } }
    const changes = [{ ref: { id: ref }, type: 'UPDATE' }]
    const moved = { ref, before: 'a'.repeat(40), after: 'b'.repeat(40), repository, project_id: 1 }
    const body = { ...moved, object_kind: 'push', changes }
    for (const host of GIT_HOSTS.filter(each => each !== bitbucket)) {
      const event = host === bitbucketDataCenter ? 'repo:refs_changed' : 'push'
      const headers = { [host.headers.event ?? 'x']: event }
      assert.equal(saying(host.read({ headers, body: BODY, receivedAt: NOW }, body)), says, host.name)
    }
  })
}

test('W32 only the very test of Bitbucket Data Center may come unsigned', () => {
  const test = { headers: { 'x-event-key': 'diagnostics:ping' }, body: Buffer.from('{"test": true}') }
  const isTest = (other: object) =>
    bitbucketDataCenter.isUnsignedTest?.({ ...test, receivedAt: NOW, ...other })
  assert.equal(isTest({}), true)
  assert.equal(isTest({ headers: { 'x-event-key': 'repo:refs_changed' } }), false)
  assert.equal(isTest({ body: Buffer.from('{"test":true,"changes":[]}') }), false)
  assert.deepEqual(
    GIT_HOSTS.filter(host => host.isUnsignedTest).map(host => host.name),
    ['bitbucket-data-center'],
  )
})

test('a registered address is recognised by owner and name, whatever stands before them', () => {
  const same = [
    ['https://github.com/acme/site.git', 'Acme/Site'],
    ['git@github.com:acme/site.git', 'acme/site'],
    ['ssh://git@git.example.org:7999/proj/site.git', 'PROJ/site'],
    ['https://git.example.org/bitbucket/scm/~ann/site', '~ann/site'],
    ['https://git.example.org/%7Eann/site', '~ann/site'],
    ['https://gitlab.com/group/sub/site.git', 'group/sub/site'],
  ]
  for (const [url = '', path = ''] of same) {
    assert.ok(isAddressOf(url, path), `${url} ${path}`)
  }
  for (const path of ['acme/other', 'evil/site', 'me/site', 'site.git/x', '', '/', 'acme', '.git']) {
    assert.equal(isAddressOf('https://github.com/acme/site.git', path), false, path)
  }
})

test('hosts are found by name and by the public servers of their kind', () => {
  assert.equal(gitHostNamed('github'), github)
  assert.equal(gitHostNamed('constructor'), undefined)
  assert.equal(gitHostAt('gitlab.com'), gitlab)
  assert.equal(gitHostAt('github.com.example.org'), undefined)
})

function secretFor(host: GitHost): string {
  const random = randomBytes(32)
  return host.secretOf?.(random) ?? random.toString('base64url')
}

/** A right delivery of the body, with some of its headers replaced and perhaps another body. */
function verifies(
  host: GitHost,
  secret: string,
  other: Readonly<Record<string, string | undefined>>,
  body = BODY,
): boolean {
  const headers = { ...signedHeaders(host, { secret, body: BODY, at: NOW }), ...other }
  return host.verify({ headers, body, receivedAt: NOW }, [secret])
}
