import type { PipelineParts } from '#manager/pipeline/step.ts'
import { newestRelease, readGoal } from '#manager/releases/queries.ts'
import { secretsOfRelease } from '#manager/secrets/queries.ts'
import { type RegistrySettings, registryFactsOf } from '#targets/registry-settings.ts'
import type { RegistryFacts } from '#targets/target.ts'
import { registryApp } from './registry-app.ts'

/**
 * The registry that deployments push to: the one of the environment, else the one that Fairlead runs, as it was released
 * last. So an account that was changed counts from the moment on at which the registry knows it.
 */
export async function registryInUse(
  parts: Pick<PipelineParts, 'db' | 'sealer' | 'registry'>,
): Promise<RegistryFacts | undefined> {
  if (parts.registry) {
    return parts.registry
  }
  const app = await registryApp(parts.db)
  const release = app && (await newestRelease(parts.db, app.id))
  if (!app || !release) {
    return undefined
  }
  const { settings, secrets } = await readGoal(parts, app, release.id)
  const { values } = await secretsOfRelease(parts, app.id, secrets)
  return registryFactsOf(settings as RegistrySettings, values)
}
