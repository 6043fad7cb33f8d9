import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'
import { systemClock } from '#lib/clock.ts'
import { FairleadError } from '#lib/errors.ts'
import type { Work } from './case.ts'
import type { CrashApp } from './crash-app.ts'
import type { CrashWorld } from './crash-world.ts'

const ENDS_WITHIN_MS = 240_000
const ASK_AGAIN_MS = 50

/** What was asked of the manager, which may die before it answers. */
export interface Asked {
  readonly work: Work
  readonly app: string
  /** What visitors read when it is done; undefined for a removal. */
  readonly text: string | undefined
  readonly commit: string | undefined
  readonly deployment: Promise<string | undefined>
}

export async function ask(world: CrashWorld, app: CrashApp, work: Work): Promise<Asked> {
  if (work === 'remove') {
    const deployment = removal(world, app.name)
    return { work, app: app.name, text: undefined, commit: undefined, deployment }
  }
  const { text, commit, deployments } = await app.release(work === 'failing' ? 'ill' : 'good')
  return { work, app: app.name, text, commit, deployment: deployments.then(([id]) => id) }
}

/** How the deployment ended, or undefined when it does not end. */
export async function untilEnded(world: CrashWorld, asked: Asked): Promise<DeploymentDetail | undefined> {
  const { client } = world.system.together()
  const id = await asked.deployment
  const deadline = systemClock.monotonic() + ENDS_WITHIN_MS
  while (systemClock.monotonic() < deadline) {
    const found = await client.get<DeploymentDetail>(`/deployments/${id}`).catch(error => error as Error)
    if (!(found instanceof Error) && found.finished_at !== null) {
      return found
    }
    // The record of an app and all its deployments go with its removal.
    if (asked.work === 'remove' && found instanceof FairleadError && found.code === 'DEPLOYMENT_NOT_FOUND') {
      return { state: 'succeeded', outcome: 'removed' } as DeploymentDetail
    }
    await systemClock.sleep(ASK_AGAIN_MS)
  }
  return undefined
}

/** The answer may get lost in the crash: then the removal is there all the same, or is asked for again. */
async function removal({ system }: CrashWorld, app: string): Promise<string | undefined> {
  const { client } = system.together()
  for (;;) {
    try {
      return (await client.send<DeploymentDocument>('DELETE', `/apps/${app}`)).id
    } catch (error) {
      const code = error instanceof FairleadError ? error.code : ''
      if (code === 'APP_NOT_FOUND') {
        return undefined
      }
      if (code === 'APP_BEING_REMOVED') {
        const { items } = await client.get<{ items: DeploymentDocument[] }>(`/deployments?app=${app}`)
        return items.find(({ kind }) => kind === 'remove')?.id
      }
      await systemClock.sleep(ASK_AGAIN_MS)
    }
  }
}
