import type { Static } from 'typebox'
import { STACK_NOT_FOUND } from '#commands/stack-errors.ts'
import type { SignedAnswer } from '#contract/rest/signed.ts'
import type { Deployment, StepRecord } from '#manager/deployments/deployment.ts'
import { readDetail } from '#manager/deployments/queries.ts'
import { STACK_NOT_RUNNING } from '#manager/pipeline/errors.ts'
import { inert } from './deployment-log.ts'
import type { ApiParts } from './parts.ts'

const TAIL_LINES = 30
const TAIL_CHARACTERS = 4_000

type Answer = Static<typeof SignedAnswer>

/** Status and body that tell how the deployment of a stack ended. */
export async function signedAnswer(
  { db, logs, clock }: Pick<ApiParts, 'db' | 'logs' | 'clock'>,
  id: string,
  stack: string,
): Promise<{ readonly status: 200 | 404 | 409 | 500; readonly body: Answer }> {
  const { deployment, steps } = await readDetail(db, id)
  const tails = await tailsOf(logs, id)
  const { state, error, createdAt, startedAt = createdAt, finishedAt = clock.now() } = deployment
  const why = error ?? (state === 'succeeded' ? undefined : { code: state, message: `It was ${state}.` })
  return {
    status: statusOf(deployment),
    body: {
      ok: state === 'succeeded',
      stack,
      steps: steps.map(step => stepOf(step, tails.get(step.name) ?? [], finishedAt)),
      started_at: timeOf(startedAt),
      finished_at: timeOf(finishedAt),
      deployment: id,
      ...(why ? { error: errorWord(why.code), message: inert(why.message) } : {}),
    },
  }
}

/** `STACK_MISMATCH` -> `stack-mismatch` */
export function errorWord(code: string): string {
  return code.toLowerCase().replaceAll('_', '-')
}

function statusOf({ state, error }: Deployment): 200 | 404 | 409 | 500 {
  if (state === 'succeeded') {
    return 200
  }
  switch (error?.code) {
    case STACK_NOT_RUNNING.definition.code:
      return 409
    case STACK_NOT_FOUND.definition.code:
      return 404
    default:
      return 500
  }
}

function stepOf(step: StepRecord, tail: readonly string[], now: number): Answer['steps'][number] {
  return {
    name: step.name as Answer['steps'][number]['name'],
    ok: step.state === 'done',
    duration_ms: Math.max(0, (step.finishedAt ?? now) - step.startedAt),
    tail: tail.join('\n').slice(-TAIL_CHARACTERS),
  }
}

/** What programs wrote, by step; our own words are not theirs. The worker has taken secrets out of it. */
async function tailsOf(logs: ApiParts['logs'], id: string): Promise<Map<string, string[]>> {
  const tails = new Map<string, string[]>()
  for await (const { step, stream, text } of logs.read(id)) {
    if (stream !== 'info') {
      const lines = tails.get(step) ?? []
      lines.push(inert(text))
      tails.set(step, lines.slice(-TAIL_LINES))
    }
  }
  return tails
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}
