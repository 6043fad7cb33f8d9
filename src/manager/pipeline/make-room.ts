import { LOCAL_ENGINE } from '#commands/engine.ts'
import { appsByFiles } from '#manager/apps/held-removals.ts'
import { factsOf, newestRelease } from '#manager/releases/queries.ts'
import type { Claims } from '#targets/claims.ts'
import { targetNamed } from '#targets/index.ts'
import { type DescribedApps, isUnwanted } from './described-apps.ts'
import type { PipelineParts, StepContext } from './step.ts'
import { tellWorker } from './tell-worker.ts'

/**
 * Apps of the repository that are going: their files want them no more, and nobody has to agree to that. Only the newest
 * commit says so: what an older one does not have yet may be wanted since.
 */
export async function leavingApps(
  { parts, app, repository, deployment }: StepContext,
  described: DescribedApps,
): Promise<readonly string[]> {
  const { wantedCommit, approved, commit } = deployment
  const isOld = wantedCommit !== undefined || (approved !== undefined && commit !== repository?.last_tip)
  return !repository || isOld ? [] : await leavingBeside(parts, { app, repository }, described)
}

/** The same for the newest commit. */
export async function leavingBeside(
  parts: Pick<PipelineParts, 'db'>,
  { app, repository }: Pick<StepContext, 'app'> & { readonly repository: { readonly id: string } },
  described: DescribedApps,
): Promise<readonly string[]> {
  if (app.by_files === null) {
    return []
  }
  return (await appsByFiles(parts.db, repository.id))
    .filter(each => each.id !== app.id && isUnwanted(described, each))
    .filter(({ why, allowed_by }) => why === null || allowed_by !== null)
    .map(({ id }) => id)
}

/**
 * Ends what runs of apps that are going and have ports that this deployment is about to publish: under another name it is
 * mostly the same app. Only now, when everything is built. If it fails after all, they are brought back.
 */
export async function makeRoom(context: StepContext): Promise<void> {
  const { parts, app, facts, deployment, say } = context
  const ports = facts.plan ? facts.target?.claims?.({ content: facts.plan.release }).ports : undefined
  const { leaving = [] } = facts
  if (leaving.length === 0 || !ports || ports.length === 0) {
    return
  }
  const others = await parts.db
    .selectFrom('apps')
    .selectAll()
    .where('id', 'in', leaving)
    .where('host', '=', app.host)
    .execute()
  for (const other of others) {
    const held = (await releasedClaims(parts.db, other))?.ports ?? []
    const taken = held.filter(port => ports.includes(port))
    const release = await newestRelease(parts.db, other.id)
    if (taken.length === 0 || !release) {
      continue
    }
    await parts.db
      .insertInto('made_room')
      .values({ deployment_id: deployment.id, app_id: other.id })
      .onConflict(conflict => conflict.doNothing())
      .execute()
    say(`${other.name}, which no file wants any more, has port ${taken.join(', ')} and is ended first`)
    const named = { name: other.name, baseDomain: parts.baseDomain }
    for (const tell of targetNamed(other.target)?.stop?.(named, factsOf(release)) ?? []) {
      await tellWorker(context, {
        ...tell,
        key: `room-${other.name}-${tell.key}`,
        engine: other.engine ?? LOCAL_ENGINE,
      })
    }
  }
}

/** The app that serves since it made room for it; undefined: there is none, or it was deployed again. */
export async function roomMadeFor(
  db: StepContext['parts']['db'],
  appId: string,
): Promise<string | undefined> {
  const release = await newestRelease(db, appId)
  const room = await db
    .selectFrom('made_room')
    .innerJoin('deployments', 'deployments.id', 'made_room.deployment_id')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select('apps.name')
    .where('made_room.app_id', '=', appId)
    .where('deployments.state', '=', 'succeeded')
    .where('deployments.id', '>', release?.deployment_id ?? '')
    .limit(1)
    .executeTakeFirst()
  return room?.name
}

/** Undefined: nothing of the app runs, or its target has nothing of its own. */
export async function releasedClaims(
  db: StepContext['parts']['db'],
  { id, target }: { readonly id: string; readonly target: string },
): Promise<Claims | undefined> {
  const claimsOf = targetNamed(target)?.claims
  const release = claimsOf && (await newestRelease(db, id))
  return release && claimsOf(factsOf(release))
}
