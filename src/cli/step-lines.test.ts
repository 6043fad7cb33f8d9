import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import picocolors from 'picocolors'
import type { DeploymentDetail, LogLineDocument, StepDocument } from '#contract/rest/deployments.ts'
import { failureLines, liveLines, plainLine } from './step-lines.ts'

const colour = picocolors.createColors(false)
const START = Date.parse('2026-11-20T12:00:00.000Z')

function aStep(step: Partial<StepDocument>): StepDocument {
  return {
    name: 'build',
    state: 'done' as never,
    started_at: new Date(START).toISOString(),
    deadline_at: new Date(START + 60_000).toISOString(),
    finished_at: new Date(START + 1_234).toISOString(),
    outcome: null,
    error: null,
    ...step,
  }
}

function aDeployment(deployment: Partial<DeploymentDetail>): DeploymentDetail {
  return {
    id: '0199aaaa-0000-7000-8000-000000000000',
    app: 'shop',
    kind: 'deploy',
    state: 'running',
    outcome: null,
    trigger: { kind: 'api', by: 'admin' },
    wanted_commit: null,
    wanted_release: null,
    wanted_version: null,
    followed_by: null,
    commit: null,
    commit_subject: null,
    failed_step: null,
    error: null,
    release: null,
    waiting_since: null,
    approved: null,
    cancel_requested: false,
    created_at: new Date(START).toISOString(),
    started_at: new Date(START).toISOString(),
    deadline_at: null,
    finished_at: null,
    steps: [],
    plan: null,
    plan_hash: null,
    held: false,
    evidence: null,
    ...deployment,
  }
}

function aLine(text: string, step = 'build'): LogLineDocument {
  return { seq: 1, at: new Date(START).toISOString(), step, stream: 'stdout', text }
}

test('each step is a line with its mark and duration; the one at work shows what it says', () => {
  const steps = [
    aStep({ name: 'checkout' }),
    aStep({ name: 'read', state: 'skipped' as never }),
    aStep({ name: 'build', state: 'running' as never, finished_at: null }),
  ]
  const moment = { now: START + 65_000, columns: 80, colour, lastLine: aLine('Step 2/5 : COPY site') }
  const [checkout, read, build] = liveLines(aDeployment({ steps }), moment)
  equal(checkout, '  ✔ checkout       1.2 s')
  match(read ?? '', /– read {8}nothing to do/)
  match(build ?? '', /. build {6}1 min 5 s {2}Step 2\/5 : COPY site$/)
})

test('L01 a line of a build neither moves the cursor nor breaks the display', () => {
  const steps = [aStep({ state: 'running' as never, finished_at: null })]
  const lastLine = aLine(`\x1b[2J\x1b]0;x\x07${'long '.repeat(100)}\nsecond`)
  for (const line of liveLines(aDeployment({ steps }), { now: START, columns: 80, colour, lastLine })) {
    ok([...line].length < 80)
    equal(/[\0-\x1f\x7f-\x9f]/.test(line), false)
  }
})

test('without a terminal a step is one plain line', () => {
  equal(plainLine(aStep({})), '  build     done      1.2 s')
  equal(plainLine(aStep({ name: 'push', state: 'skipped' as never })), '  push      skipped')
})

test('a failure shows step, reason, hint and the last lines of that step', () => {
  const failed = aDeployment({
    state: 'failed',
    failed_step: 'build',
    error: { code: 'X', message: 'exit code 1', hint: 'Look at it.', retry: 'never', status: 422 },
  })
  const log = [
    aLine('of another step', 'checkout'),
    ...Array.from({ length: 40 }, (_, n) => aLine(`line ${n}`)),
  ]
  const lines = failureLines(failed, log, colour)
  deepEqual(lines.slice(0, 4), [
    '  failed in build',
    '  reason: exit code 1',
    '  hint:   Look at it.',
    '  the last lines of build:',
  ])
  equal(lines.at(-1), '  | line 39')
  equal(lines.filter(line => line.startsWith('  |')).length, 15)
})
