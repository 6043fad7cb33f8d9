import { readApp } from '#manager/apps/queries.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import { STACK_HAS_NO_SOURCE } from '#manager/deployments/errors.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import type { Speaker } from '#manager/people/tokens.ts'
import type { WantedArtifact } from '#targets/artifact.ts'
import type { ApiParts } from './parts.ts'
import { waitForEnd } from './wait-for-end.ts'

export interface Waiting {
  readonly seconds: number | undefined
  readonly gone: AbortSignal
}

export interface NamedDeploy {
  readonly app: string
  readonly commit: string | undefined
  readonly artifact: WantedArtifact | undefined
  readonly speaker: Speaker
  readonly wait: Waiting
}

/** Requests the deployment of what a speaker names, and waits for it as long as that is wanted. */
export async function deployNamed(parts: ApiParts, wish: NamedDeploy): Promise<Deployment> {
  const { commit, artifact, speaker, wait } = wish
  const app = await readApp(parts.db, wish.app)
  if (app.stack !== null && (commit !== undefined || artifact !== undefined)) {
    throw STACK_HAS_NO_SOURCE(app.name)
  }
  // Whom a trust lets in for some apps only is a job of a CI system.
  const trigger = { kind: speaker.apps === undefined ? 'api' : 'ci', by: speaker.name } as const
  const request = { appId: app.id, kind: 'deploy', trigger, commit, artifact } as const
  return await started(parts, await requestDeployment(parts, request), wait)
}

/** Lets the queue go on, and waits for the end. */
export async function started(
  parts: ApiParts,
  deployment: Deployment,
  { seconds, gone }: Waiting,
): Promise<Deployment> {
  parts.queue.wake()
  return seconds ? await waitForEnd(parts, deployment, { seconds, gone }) : deployment
}
