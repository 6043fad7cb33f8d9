import { equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { claimsFit, shownClaims, tooWide } from './claims.ts'
import { JOB } from './test-issuer.ts'

const RULES = { repository: 'acme/shop', ref: 'refs/heads/main' }

test('a job is trusted when every claim has the value, or begins with what stands before the star', () => {
  ok(claimsFit(RULES, JOB))
  ok(claimsFit({ sub: 'repo:acme/shop:ref:*' }, JOB))
  ok(
    claimsFit(
      { ...RULES, ref_protected: 'true', run_number: '7' },
      { ...JOB, ref_protected: true, run_number: 7 },
    ),
  )
})

for (const [what, claims] of [
  ['another repository', { ...JOB, repository: 'acme/shop2' }],
  ['a repository of another owner', { ...JOB, repository: 'evil/shop' }],
  ['another branch', { ...JOB, ref: 'refs/heads/main2' }],
  ['a pull request', { ...JOB, ref: 'refs/pull/1/merge' }],
  ['a claim that is absent', { repository: 'acme/shop' }],
  ['a claim that is a list', { ...JOB, ref: ['refs/heads/main'] }],
  // Its code is that of the base branch, which it may mix with the code of the proposal.
  ['pull_request_target, whose ref is the base branch', { ...JOB, event_name: 'pull_request_target' }],
  ['a merge request of GitLab', { ...JOB, pipeline_source: 'merge_request_event' }],
] as const) {
  test(`a job is not trusted with ${what}`, () => equal(claimsFit(RULES, claims), false))
}

test('a claim that every object has is none of the token', () => {
  equal(claimsFit({ repository: 'acme/shop', constructor: '*' }, JOB), false)
})

test('jobs of proposed changes are trusted only by a rule that names them', () => {
  const job = { ...JOB, event_name: 'pull_request' }
  equal(claimsFit(RULES, job), false)
  ok(claimsFit({ ...RULES, event_name: 'pull_request' }, job))
})

test('a tag that is called like the branch is trusted only by a rule that names tags', () => {
  const branch = { project_path: 'acme/shop', ref: 'main', ref_type: 'branch' }
  const tag = { ...branch, ref_type: 'tag' }
  const rules = { project_path: 'acme/shop', ref: 'main' }
  ok(claimsFit(rules, branch))
  equal(claimsFit(rules, tag), false)
  equal(claimsFit(rules, { ...branch, ref_type: undefined }), false)
  ok(claimsFit({ ...rules, ref_type: 'tag' }, tag))
  const release = { ...JOB, ref: 'refs/tags/v1', ref_type: 'tag' }
  ok(claimsFit({ repository: 'acme/shop', ref: 'refs/tags/v*' }, release))
  equal(claimsFit({ repository: 'acme/shop', ref: 'refs/*' }, release), false)
})

for (const rules of [
  { ref: 'refs/heads/main', environment: 'production' },
  { repository: 'acme/shop', repository_id: '74' },
  { repository: '*', ref: 'refs/heads/main' },
  { repository: 'acme*', ref: 'refs/heads/main' },
  { sub: 'repo:*', ref: 'refs/heads/main' },
  { repository_id: '7*', ref: 'refs/heads/main' },
  { project_path: 'a/b*c', ref: 'main' },
  { repository: 'acme/shop', ref: '*' },
  { project_id: '74', environment: '*' },
  { repository: 'acme/shop', ref_protected: '**' },
  { sub: 'repo:acme/*' },
  { sub: 'repo:acme/shop*' },
  { sub: 'repo:acme/*', ref: 'refs/heads/main' },
  { sub: 'project_path:acme/group/*', ref: 'main' },
  { sub: 'repo:acme/shop:*' },
]) {
  test(`rules that let strangers in are refused: ${JSON.stringify(rules)}`, () => {
    match(tooWide(rules) ?? '', /claim|strangers/)
  })
}

for (const rules of [
  RULES,
  { repository: 'acme/*', ref: 'refs/heads/main' },
  { sub: 'repo:acme/shop:environment:production' },
  { sub: 'repo:acme/shop:environment:*' },
  { sub: 'repo:acme/shop:*', ref: 'refs/heads/main' },
  { sub: 'project_path:acme/group/shop:ref_type:branch:ref:release-*' },
  { sub: 'system:serviceaccount:ci:deployer' },
  { project_id: '74', ref: 'release-*' },
  { repository: 'acme/shop', ref: '*', environment: 'production' },
]) {
  test(`rules that name a project and its jobs are taken: ${JSON.stringify(rules)}`, () => {
    equal(tooWide(rules), undefined)
  })
}

test('what a job says of itself is shown without what a terminal would obey', () => {
  equal(
    shownClaims({ ref: 'a\x1b[2J\n', repository: 'acme/shop', jti: 'x' }),
    'repository=acme/shop, ref=a?[2J?',
  )
})
