import { requestDeployment } from '#manager/deployments/request.ts'
import { type DescribedApps, isUnwanted } from './described-apps.ts'
import { APP_REMOVAL_GUARDED } from './errors.ts'
import type { StepContext, StepOutcome } from './step.ts'

/**
 * Ends a deployment of an app that its files want no more, and requests the app's removal: journalled like any other,
 * volumes stay. Only the tip of the branch counts. Undefined when the app is wanted.
 */
export async function endUnwanted(
  context: StepContext,
  described: DescribedApps,
): Promise<StepOutcome | undefined> {
  const { app, deployment, repository } = context
  if (!repository || deployment.wantedCommit !== undefined || !isUnwanted(described, app)) {
    return undefined
  }
  const isOff = described.convention?.entries.get(app.entry)?.state === 'disabled'
  const why = isOff ? 'it is switched off in its file' : 'no file describes it any more'
  return await endByRemoval(context, described.source.commit, why)
}

async function endByRemoval(context: StepContext, commit: string, why: string): Promise<StepOutcome> {
  const { parts, app, repository, say } = context
  if (app.approval === 1) {
    throw APP_REMOVAL_GUARDED(app.name)
  }
  const trigger = { kind: 'files', by: repository?.name ?? '', detail: why } as const
  const removal = await requestDeployment(parts, { appId: app.id, kind: 'remove', trigger })
  say(`${app.name} is wanted no more: ${why}. Deployment ${removal.id} removes it; its volumes stay`)
  parts.wake()
  return { kind: 'finished', outcome: 'files-gone', evidence: { commit, why, removal: removal.id } }
}
