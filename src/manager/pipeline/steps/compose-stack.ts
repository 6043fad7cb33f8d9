import { isDeepStrictEqual } from 'node:util'
import type { ComposeContainer } from '#commands/compose-data.ts'
import { stackCompose } from '#commands/stack-compose.ts'
import { STACK_NOT_RUNNING, STACK_STEP_FAILED } from '#manager/pipeline/errors.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'
import { isStoreTrouble } from '#manager/store/store-error.ts'

/** Each is one Compose command in the folder of the stack; how long it may take is documented. */
const SECONDS = { status: 60, config: 120, pull: 600, up: 600 } as const

type Name = keyof typeof SECONDS

/** Looks whether the stack runs, checks its files, fetches its images, and makes what runs like them. */
export const stackSteps: readonly Step[] = (Object.keys(SECONDS) as Name[]).map(name => ({
  name,
  deadlineMs: SECONDS[name] * 1000,
  run: context => runInStack(context, name),
}))

type Container = Pick<ComposeContainer, 'id' | 'startedAt' | 'state'>

interface Result {
  readonly exitCode: number
  readonly services: readonly string[]
  readonly containers: readonly Container[]
}

async function runInStack(context: StepContext, step: Name): Promise<StepOutcome> {
  const { app, say } = context
  const stack = app.stack ?? ''
  const { exitCode, services, containers } = await measured(context, { stack, step }, () =>
    tellWorker(context, { key: step, command: stackCompose.name, data: { stack, step } }),
  )
  if (exitCode !== 0) {
    throw STACK_STEP_FAILED(step, stack, exitCode).with({ facts: { exit_code: exitCode } })
  }
  switch (step) {
    case 'status':
      if (services.length === 0) {
        throw STACK_NOT_RUNNING(stack)
      }
      return done({ services })
    case 'up':
      say(`${app.name} is as its folder says: ${containers.length} containers`)
      return {
        kind: 'finished',
        outcome: isSame(context.results.get('status') as Result | undefined, containers)
          ? 'nothing-to-do'
          : 'deployed',
        evidence: { containers },
      }
    default:
      return done()
  }
}

/** Whether `up` left every container alone. Not known after a restart in between: then it counts as a change. */
function isSame(before: Result | undefined, after: readonly Container[]): boolean {
  const marks = (containers: readonly Container[]) =>
    containers.map(({ id, startedAt, state }) => `${id} ${startedAt} ${state}`).toSorted()
  return before !== undefined && isDeepStrictEqual(marks(before.containers), marks(after))
}

/** One line of the manager's log for each step that came to its end. */
async function measured(
  { parts, deployment, signal }: StepContext,
  what: { readonly stack: string; readonly step: Name },
  work: () => Promise<unknown>,
): Promise<Result> {
  const began = parts.clock.monotonic()
  const log = (ok: boolean, exitCode: number | null) =>
    parts.logger.info('deploy.step', {
      ...what,
      ok,
      exit_code: exitCode,
      duration_ms: Math.round(parts.clock.monotonic() - began),
      deployment: deployment.id,
    })
  try {
    const result = (await work()) as Result
    log(result.exitCode === 0 && (what.step !== 'status' || result.services.length > 0), result.exitCode)
    return result
  } catch (error) {
    if (signal.reason !== 'shutdown' && !isStoreTrouble(error)) {
      log(false, null)
    }
    throw error
  }
}
