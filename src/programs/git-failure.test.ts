import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fingerprintOf, gitFailure } from './git-failure.ts'

const URL = 'https://git.example.org/o/r'
const SUBJECT = { operation: 'fetch', url: URL, host: 'git.example.org', branch: 'main', commit: 'abc' }
const ED25519 =
  'git.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'

/** What git, curl and ssh print; the exit code is 128 for all of them. */
const FAILURES = [
  ["fatal: couldn't find remote ref refs/heads/main", 'BRANCH_NOT_FOUND'],
  ['fatal: remote error: upload-pack: not our ref aaaa', 'COMMIT_NOT_FOUND'],
  ['error: Server does not allow request for unadvertised object aaaa', 'COMMIT_NOT_FOUND'],
  [`fatal: repository '${URL}/' not found`, 'REPOSITORY_NOT_FOUND'],
  ['remote: Repository not found.\nfatal: Could not read from remote repository.', 'REPOSITORY_NOT_FOUND'],
  [
    "fatal: '/o/r' does not appear to be a git repository\nfatal: Could not read from remote repository.",
    'REPOSITORY_NOT_FOUND',
  ],
  ['remote: ERROR: The project you were looking for could not be found.\n', 'REPOSITORY_NOT_FOUND'],
  [`fatal: unable to access '${URL}/': The requested URL returned error: 301`, 'REPOSITORY_MOVED'],
  [`fatal: unable to access '${URL}/': The requested URL returned error: 503`, 'REPOSITORY_UNREACHABLE'],
  [`fatal: unable to access '${URL}/': The requested URL returned error: 429`, 'REPOSITORY_UNREACHABLE'],
  [`fatal: unable to access '${URL}/': Could not resolve host: git.example.org`, 'REPOSITORY_UNREACHABLE'],
  [
    `fatal: unable to access '${URL}/': Failed to connect to git.example.org port 443: Connection refused`,
    'REPOSITORY_UNREACHABLE',
  ],
  [
    'fatal: Operation too slow. Less than 1000 bytes/sec transferred the last 30 seconds',
    'REPOSITORY_UNREACHABLE',
  ],
  ['ssh: connect to host 192.0.2.1 port 22: Connection timed out', 'REPOSITORY_UNREACHABLE'],
  [
    'error: RPC failed; curl 18 transfer closed\nfatal: early EOF\nfatal: fetch-pack: invalid index-pack output',
    'REPOSITORY_UNREACHABLE',
  ],
  [`fatal: Authentication failed for '${URL}/'`, 'REPOSITORY_CREDENTIAL_REFUSED'],
  [
    `fatal: unable to access '${URL}/': The requested URL returned error: 403`,
    'REPOSITORY_CREDENTIAL_REFUSED',
  ],
  [
    'git@git.example.org: Permission denied (publickey).\nfatal: Could not read from remote repository.',
    'REPOSITORY_CREDENTIAL_REFUSED',
  ],
  [
    'Load key "/tmp/key": error in libcrypto\ngit@h: Permission denied (publickey).',
    'REPOSITORY_CREDENTIAL_REFUSED',
  ],
  [
    'fatal: unable to access: server certificate verification failed. CAfile: none CRLfile: none',
    'REPOSITORY_CERTIFICATE_REFUSED',
  ],
  [
    'fatal: unable to access: SSL certificate problem: self-signed certificate',
    'REPOSITORY_CERTIFICATE_REFUSED',
  ],
  [
    'error: object abcd: gitmodulesUrl: disallowed submodule url: -u./x\nfatal: fsck error in packed object',
    'REPOSITORY_REFUSED_BY_FSCK',
  ],
  ['fatal: fetch-pack: invalid index-pack output\n', 'REPOSITORY_TOO_LARGE'],
  [
    'fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output',
    'WORKSPACE_FULL',
  ],
  ["fatal: Unable to create '/w/mirror.git/shallow.lock': File exists.", 'MIRROR_LOCKED'],
  ['error: object file objects/ab/cd is empty\nfatal: bad object abcd', 'MIRROR_DAMAGED'],
  ['fatal: not a tree object', 'OBJECT_NOT_FOUND'],
  ["fatal: not a git repository: '/w/mirror.git'", 'OBJECT_NOT_FOUND'],
  [
    'No ED25519 host key is known for [h]:2222 and you have requested strict checking.\nHost key verification failed.',
    'HOST_KEY_UNKNOWN',
  ],
  [
    "error: cannot run /run/x/askpass: Permission denied\nfatal: could not read Username for 'https://h': terminal prompts disabled",
    'HELPER_NOT_STARTED',
  ],
  ['fatal: something new', 'GIT_FAILED'],
] as const

for (const [stderr, code] of FAILURES) {
  test(`"${stderr.split('\n')[0]?.slice(0, 90)}" is told as ${code}`, () => {
    const error = gitFailure({ exitCode: 128, stdout: '', stderr }, { ...SUBJECT, credential: 'given' })
    assert.equal(error.code, code)
    assert.ok(error.hint.length > 20)
    assert.equal(error.facts?.exitCode, 128)
  })
}

test('without a credential a refusal says that one is needed', () => {
  const stderr = `fatal: could not read Username for '${URL}': terminal prompts disabled`
  const error = gitFailure({ exitCode: 128, stdout: '', stderr }, { ...SUBJECT, credential: 'none' })
  assert.equal(error.code, 'REPOSITORY_CREDENTIAL_NEEDED')
})

test('what a server writes does not pass for a message of our own git', () => {
  const stderr =
    "remote: fatal: Unable to create '/etc/x.lock': File exists.\nremote: No space left on device\nfatal: the remote end hung up unexpectedly"
  const error = gitFailure({ exitCode: 128, stdout: '', stderr }, SUBJECT)
  assert.equal(error.code, 'REPOSITORY_UNREACHABLE')
})

test('L01 the tail of what git printed is shown inert', () => {
  const stderr = 'remote: \u001b]0;x\u0007\u001b[2Jhello\u202e\rworld\nfatal: odd'
  const error = gitFailure({ exitCode: 128, stdout: '', stderr }, SUBJECT)
  assert.doesNotMatch(error.message, /[^\P{C}\n]/u)
  assert.match(error.message, /hello/)
})

test('G22 the fingerprint is the one that ssh and GitHub print', () => {
  assert.equal(fingerprintOf(ED25519), 'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU')
})

test('G22 a changed host key is told with the pinned key of the same type', () => {
  const knownHosts = `# keys\n${ED25519}\ngit.example.org ecdsa-sha2-nistp256 AAAAE2VjZHNh\n`
  const stderr = `@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
The fingerprint for the ED25519 key sent by the remote host is
SHA256:${'B'.repeat(43)}.
Offending ECDSA key in /tmp/x/known_hosts:3
Host key verification failed.`
  const error = gitFailure({ exitCode: 128, stdout: '', stderr }, { ...SUBJECT, knownHosts })
  assert.equal(error.code, 'HOST_KEY_CHANGED')
  assert.match(error.message, /pinned is SHA256:\+DiY3wvv.*shows SHA256:BBBB/)
})
