import { registryCollect } from '#commands/registry.ts'
import type { CollectResult } from '#commands/registry-collect.ts'
import { collectAge, isAlone } from '#manager/deployments/alone.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'
import { collectionFor } from '#manager/registry/collect.ts'

/** Deletes from the registry what nothing names. Only where that was asked for. */
export const collect: Step = {
  name: 'collect',
  deadlineMs: 30 * 60_000,
  isWanted: ({ deployment }) => isAlone(deployment.trigger),
  run: collectGarbage,
}

async function collectGarbage(context: StepContext): Promise<StepOutcome> {
  const { parts, deployment, say } = context
  const olderThanSeconds = collectAge(deployment.trigger)
  const { data } = await collectionFor(parts, { dryRun: false, olderThanSeconds })
  const result = (await tellWorker(context, {
    key: 'collect',
    command: registryCollect.name,
    data,
  })) as unknown as CollectResult
  const { gone, kept, bytes } = result
  for (const { repository, digest, tags } of gone) {
    say(`deleted ${repository}@${digest.slice(0, 19)} ${tags.join(', ')}`)
  }
  say(`${gone.length} images deleted, ${bytes} bytes of layers that only they had; ${kept.length} kept`)
  return done({ gone: gone.length, kept: kept.length, bytes })
}
