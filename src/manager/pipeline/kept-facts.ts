import { SOON } from '#manager/store/soon.ts'
import { targetNamed } from '#targets/index.ts'
import type { Facts, PipelineParts, StepContext } from './step.ts'

type Written = Omit<Facts, 'target'> & { readonly target?: string | undefined }

/**
 * What the steps up to the plan found out, to go on with after a restart: nothing is asked or decided again then,
 * whatever has changed meanwhile. With secrets, therefore sealed.
 */
export async function keepFacts({ facts, parts, deployment }: StepContext): Promise<void> {
  const { target, source, waitedForEngineMs: _, ...rest } = facts
  const written: Written = {
    ...rest,
    target: target?.name,
    // Who is in the repository was decided by now; of a large one the list is long.
    ...(source ? { source: { ...source, paths: [], links: [] } } : {}),
  }
  const facts_sealed = parts.sealer.seal(JSON.stringify(written), factsPlace(deployment.id))
  await parts.db
    .insertInto('kept_facts')
    .values({ deployment_id: deployment.id, facts_sealed })
    .onConflict(conflict => conflict.column('deployment_id').doUpdateSet({ facts_sealed }))
    .modifyEnd(SOON)
    .execute()
}

/** Undefined for a deployment whose plan is not done. */
export async function keptFacts(
  { db, sealer }: PipelineParts,
  deployment: string,
): Promise<Facts | undefined> {
  const row = await db
    .selectFrom('kept_facts')
    .innerJoin('steps', 'steps.deployment_id', 'kept_facts.deployment_id')
    .select('kept_facts.facts_sealed')
    .where('kept_facts.deployment_id', '=', deployment)
    .where('steps.name', '=', 'plan')
    .where('steps.state', '=', 'done')
    .executeTakeFirst()
  if (!row) {
    return undefined
  }
  const { target, ...facts } = JSON.parse(sealer.open(row.facts_sealed, factsPlace(deployment))) as Written
  const found = target === undefined ? undefined : targetNamed(target)
  return { ...facts, ...(found ? { target: found } : {}) }
}

export function factsPlace(deployment = ''): string {
  return `deployments/${deployment}/facts`
}
