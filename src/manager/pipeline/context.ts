import { background } from '#lib/background.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import { overriddenDeadlines, workerLimit } from './deadlines.ts'
import type { DeploymentDeadline } from './deployment-deadline.ts'
import { keptFacts } from './kept-facts.ts'
import type { PipelineParts, StepContext } from './step.ts'

/** Reads what the pipeline works on, with what an earlier process found out and the results that it got. */
export async function openContext(
  deployment: Deployment,
  parts: PipelineParts,
  { signal, deadline }: { signal: AbortSignal; deadline: DeploymentDeadline },
): Promise<StepContext> {
  const { db } = parts
  const app = await db
    .selectFrom('apps')
    .selectAll()
    .where('id', '=', deployment.appId)
    .executeTakeFirstOrThrow()
  const repository = app.repository_id
    ? await db.selectFrom('repositories').selectAll().where('id', '=', app.repository_id).executeTakeFirst()
    : undefined
  const earlier = await db
    .selectFrom('commands')
    .select(['key', 'result'])
    .where('deployment_id', '=', deployment.id)
    .where('state', '=', 'succeeded')
    .orderBy('id')
    .execute()
  const kept = deployment.planHash === undefined ? undefined : await keptFacts(parts, deployment.id)
  const context: StepContext = {
    parts,
    deployment,
    app,
    repository,
    signal,
    step: '',
    deadlineAt: deadline.at,
    workerLimitMs: workerLimit(parts.deadlines),
    limitDeployment: ms => deadline.limit(ms),
    say: text => sayIn(context, context.step, text),
    results: new Map(earlier.map(row => [row.key, JSON.parse(row.result ?? '{}')])),
    facts: kept ?? { deadlines: overriddenDeadlines(app.overrides) },
  }
  return context
}

/** Writes one line of our own into the deployment's log. */
export function sayIn({ parts, deployment }: StepContext, step: string, text: string): void {
  const line = { at: parts.clock.now(), step, stream: 'info', text } as const
  background(parts.logs.append(deployment.id, [line]), error =>
    parts.logger.error('log.not-written', { deployment: deployment.id, message: error.message }),
  )
}
