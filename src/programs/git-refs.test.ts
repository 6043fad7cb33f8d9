import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '#lib/secret.ts'
import { BRANCH_NAME_REFUSED, BRANCH_NOT_FOUND, REPOSITORY_SERVER_BUSY } from './git-errors.ts'
import { askRefs } from './git-refs.ts'
import { parseRepositoryUrl } from './git-url.ts'

const COMMIT = 'a'.repeat(40)
const REMOTE = {
  url: parseRepositoryUrl('https://git.example.org:8443/o/r.git'),
  addresses: ['2001:db8::1', '192.0.2.1'],
  credential: { kind: 'https', username: 'ada', password: new Secret('canary') },
  ca: 'PEM',
} as const

function answered(text: string, branch = 'main', status = 200) {
  const headers = { 'content-type': 'application/x-git-upload-pack-result' }
  return askRefs(REMOTE, branch === '' ? undefined : branch).read({
    status,
    headers,
    trailers: {},
    text,
    json: undefined,
  })
}

function packets(...lines: string[]): string {
  return `${lines.map(line => (Buffer.byteLength(line) + 5).toString(16).padStart(4, '0') + line).join('\n')}\n0000`
}

test('G04 the request goes to the checked address under the name of the host', () => {
  const { engine, path, headers, body } = askRefs(REMOTE, 'main')
  assert.deepEqual(engine, {
    kind: 'http',
    origin: 'https://[2001:db8::1]:8443',
    ca: 'PEM',
    username: 'ada',
    password: REMOTE.credential.password,
  })
  assert.equal(path, '/o/r.git/git-upload-pack')
  assert.equal(headers?.host, 'git.example.org:8443')
  assert.equal(
    body,
    '0014command=ls-refs\n0017object-format=sha1\n0001000csymrefs\n001fref-prefix refs/heads/main\n0000',
  )
})

test('G28 of the refs that share a prefix only the full name counts', () => {
  const longer = `${'b'.repeat(40)} refs/heads/main2`
  assert.deepEqual(answered(packets(longer, `${COMMIT} refs/heads/main`)), { commit: COMMIT, branch: 'main' })
  assert.throws(() => answered(packets(longer)), BRANCH_NOT_FOUND.matches)
  assert.throws(() => answered('0000'), BRANCH_NOT_FOUND.matches)
})

test('the default branch is the one that HEAD points to', () => {
  const head = `${COMMIT} HEAD symref-target:refs/heads/trünk`
  assert.deepEqual(answered(packets(head), ''), { commit: COMMIT, branch: 'trünk' })
  assert.equal(answered(packets(`${COMMIT} HEAD`), ''), undefined)
})

test('G21 a default branch that climbs out is refused', () => {
  const head = `${COMMIT} HEAD symref-target:refs/heads/../../x`
  assert.throws(() => answered(packets(head), ''), BRANCH_NAME_REFUSED.matches)
})

for (const text of [
  '',
  '0008',
  'ffff',
  '0005x',
  'zzzz0000',
  packets('ERR no'),
  '<html></html>',
  '0001',
  '0000'.slice(0, 3),
]) {
  test(`the answer ${JSON.stringify(text.slice(0, 20))} is left to git to explain`, () => {
    assert.equal(answered(text), undefined)
  })
}

test('a redirect and a refusal are left to git to explain', () => {
  const good = packets(`${COMMIT} refs/heads/main`)
  assert.deepEqual(
    [302, 401, 404, 500].map(status => answered(good, 'main', status)),
    Array(4).fill(undefined),
  )
})

test('G10 a bad branch name makes no request', () => {
  assert.throws(() => askRefs(REMOTE, '--upload-pack=x'), BRANCH_NAME_REFUSED.matches)
})

test('R80 a server that has too much to do says when to come back, and git is not sent after it', () => {
  const busy = (status: number, headers: Record<string, string>) => () =>
    askRefs(REMOTE, 'main').read({ status, headers, trailers: {}, text: '', json: undefined })
  const retryOf = (run: () => unknown) => {
    try {
      return run()
    } catch (error) {
      assert.ok(REPOSITORY_SERVER_BUSY.matches(error))
      return error.retry
    }
  }
  assert.deepEqual(retryOf(busy(429, { 'retry-after': '30' })), { afterSeconds: 30 })
  assert.equal(retryOf(busy(503, {})), 'later')
  const spent = {
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': '1000000060',
    date: 'Sun, 09 Sep 2001 01:46:40 GMT',
  }
  assert.deepEqual(retryOf(busy(403, spent)), { afterSeconds: 60 })
  assert.equal(busy(403, {})(), undefined)
})
