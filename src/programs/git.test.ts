import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProgramCall } from '#exec/call.ts'
import { Secret } from '#lib/secret.ts'
import {
  checkoutInto,
  deleteRefs,
  fetchBranch,
  fetchCommit,
  gitVersion,
  initMirror,
  listRefs,
  lsRemote,
  lsRemoteHead,
  tidyMirror,
} from './git.ts'
import { BRANCH_NAME_REFUSED, BRANCH_NOT_FOUND } from './git-errors.ts'
import { changedPaths, commitFacts, listTree, readBlobs, treesOf } from './git-tree.ts'
import { parseRepositoryUrl } from './git-url.ts'

const COMMIT = 'a'.repeat(40)
const MIRROR = '/w/mirror.git'
const REMOTE = {
  url: parseRepositoryUrl('https://git.example.org/o/r'),
  addresses: ['192.0.2.1'],
  credential: { kind: 'https', username: 'ada', password: new Secret('canary-password') },
} as const
const FETCH = { mirror: MIRROR, remote: REMOTE, ref: 'refs/deploy/x', maxBytes: 1000 }

const CALLS: Record<string, ProgramCall<unknown>> = {
  initMirror: initMirror(MIRROR),
  lsRemote: lsRemote(REMOTE, 'main'),
  lsRemoteHead: lsRemoteHead(REMOTE),
  fetchBranch: fetchBranch(FETCH, 'main'),
  fetchCommit: fetchCommit(FETCH, COMMIT),
  checkoutInto: checkoutInto(MIRROR, COMMIT, { folder: '/w/f', index: '/w/i' }),
  listRefs: listRefs(MIRROR),
  deleteRefs: deleteRefs(MIRROR, ['refs/deploy/x']),
  tidyMirror: tidyMirror(MIRROR),
  listTree: listTree(MIRROR, COMMIT, { files: 1, bytes: 1 }),
  commitFacts: commitFacts(MIRROR, COMMIT),
  readBlobs: readBlobs(MIRROR, [COMMIT], 10),
  treesOf: treesOf(MIRROR, COMMIT, ['.']),
  changedPaths: changedPaths(MIRROR, COMMIT, COMMIT),
  gitVersion: gitVersion(),
}

for (const [name, call] of Object.entries(CALLS)) {
  test(`G13 G14 G15 G17 ${name} starts git with the complete hardening`, () => {
    const config = call.args.filter((_, index) => call.args[index - 1] === '-c')
    for (const needed of [
      'protocol.allow=never',
      'core.hooksPath=/dev/null',
      'core.fsmonitor=false',
      'core.symlinks=false',
      'core.attributesFile=/dev/null',
      'safe.bareRepository=explicit',
      'submodule.recurse=false',
      'transfer.fsckObjects=true',
      'fetch.fsckObjects=true',
      'transfer.bundleURI=false',
      'http.followRedirects=false',
      'credential.helper=',
    ]) {
      assert.ok(config.includes(needed), needed)
    }
    const { GIT_CONFIG_GLOBAL, GIT_CONFIG_NOSYSTEM, GIT_ALLOW_PROTOCOL, GIT_TERMINAL_PROMPT, HOME } = call.env
    assert.deepEqual(
      [GIT_CONFIG_GLOBAL, GIT_CONFIG_NOSYSTEM, GIT_ALLOW_PROTOCOL, GIT_TERMINAL_PROMPT, HOME],
      ['/dev/null', '1', 'https:ssh', '0', '/nonexistent'],
    )
    assert.equal(call.cwd, '/')
    assert.ok(call.timeoutMs > 0)
    assert.doesNotMatch(JSON.stringify([call.args, call.env]), /canary-password/)
  })
}

test('G07 G10 values of others stand behind a double dash and under their full names', () => {
  assert.deepEqual(lastArgs('lsRemote', 4), [
    '--quiet',
    '--',
    'https://git.example.org/o/r',
    'refs/heads/main',
  ])
  assert.deepEqual(lastArgs('fetchBranch', 3), [
    '--',
    'https://git.example.org/o/r',
    '+refs/heads/main:refs/deploy/x',
  ])
  assert.deepEqual(lastArgs('fetchCommit', 3), [
    '--',
    'https://git.example.org/o/r',
    `+${COMMIT}:refs/deploy/x`,
  ])
  assert.deepEqual(lastArgs('listTree', 2), ['--end-of-options', COMMIT])
})

test('a fetch brings one commit of history, no tags, no submodules, and no more than its limit', () => {
  const { args, maxFileBytes } = fetchBranch(FETCH, 'main')
  for (const option of ['--depth=1', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head']) {
    assert.ok(args.includes(option))
  }
  assert.equal(maxFileBytes, 1000)
})

test('only harmless findings of fsck can be tolerated, one by one', () => {
  const { args } = fetchBranch({ ...FETCH, tolerate: ['badTimezone'] }, 'main')
  assert.deepEqual(
    args.filter(arg => String(arg).startsWith('fetch.fsck.')),
    ['fetch.fsck.badTimezone=warn'],
  )
})

test('G10 a bad branch name and a bad commit make no call', () => {
  assert.throws(() => lsRemote(REMOTE, '--upload-pack=x'), BRANCH_NAME_REFUSED.matches)
  assert.throws(() => fetchBranch(FETCH, 'a..b'), BRANCH_NAME_REFUSED.matches)
  assert.throws(() => fetchCommit(FETCH, '--upload-pack=x'), TypeError)
  assert.throws(() => checkoutInto(MIRROR, 'main', { folder: '/f', index: '/i' }), TypeError)
})

test('G28 of the refs that match a pattern only the full name counts', () => {
  const call = lsRemote(REMOTE, 'main')
  const other = `${'b'.repeat(40)}\trefs/heads/refs/heads/main\n`
  assert.deepEqual(read(call, `${other}${COMMIT}\trefs/heads/main\n`), { commit: COMMIT, branch: 'main' })
  assert.throws(() => read(call, other), BRANCH_NOT_FOUND.matches)
  assert.throws(() => read(call, ''), BRANCH_NOT_FOUND.matches)
  assert.throws(() => read(call, 'nonsense\trefs/heads/main\n'), BRANCH_NOT_FOUND.matches)
})

test('a repository without commits has no default branch', () => {
  const call = lsRemoteHead(REMOTE)
  assert.throws(() => read(call, ''), BRANCH_NOT_FOUND.matches)
  const answer = `ref: refs/heads/trunk\tHEAD\n${COMMIT}\tHEAD\n`
  assert.deepEqual(read(call, answer), { commit: COMMIT, branch: 'trunk' })
})

test('an old git is worth a warning and no refusal', () => {
  assert.deepEqual(read(gitVersion(), 'git version 2.39.5\n'), { text: '2.39.5' })
  assert.deepEqual(read(gitVersion(), 'git version 3.0\n'), { text: '3.0' })
  assert.match(read(gitVersion(), 'git version 2.30.2\n').warning ?? '', /2\.30\.2 is older/)
})

function read<T>(call: ProgramCall<T>, stdout: string): T {
  return call.read({ exitCode: 0, stdout, stderr: '' })
}

function lastArgs(name: string, count: number): unknown[] {
  return CALLS[name]?.args.slice(-count) ?? []
}
