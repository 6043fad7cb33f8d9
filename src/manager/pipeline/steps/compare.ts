import type { Selectable } from 'kysely'
import { WRITE_BACK_PATHS } from '#commands/write-back-path.ts'
import { canonicalJson } from '#lib/canonical-json.ts'
import { endsAll, isHint } from '#manager/deployments/deployment.ts'
import { WITHOUT_LOOK } from '#manager/deployments/without-effect.ts'
import { lastSeen, seenToMend } from '#manager/observation/last-seen.ts'
import { joinedIn } from '#manager/pipeline/source.ts'
import { done, type Facts, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'
import { wasMadeSince } from '#manager/releases/made-images.ts'
import { newestRelease } from '#manager/releases/queries.ts'
import { isOfFile } from '#manager/secrets/file-secrets.ts'
import { presentRevisions, type SecretRevisions } from '#manager/secrets/queries.ts'
import type { ReleaseTable } from '#manager/store/tables.ts'

/**
 * Ends a deployment that a push asked for when the push changed nothing that the app watches. What changed is read from
 * Git, from the released commit on: so several commits, a merge, a forced push and a failure in between all count.
 */
export const compare: Step = {
  name: 'compare',
  deadlineMs: 2 * 60_000,
  // A deployment too many does no harm.
  onFailure: 'ignore',
  isWanted: ({ app, facts, deployment }) =>
    // A message that asks for the app says more than changed files, and a tag is news although none changed.
    (facts.wish?.act ?? 'as-changed') === 'as-changed' &&
    app.uses_tags === 0 &&
    (facts.fingerprint ?? facts.watch ?? ownFiles(facts)[0]) !== undefined &&
    isHint(deployment.trigger),
  run: compareWithRelease,
}

interface Changes {
  readonly compared: 'yes' | 'unknown'
  readonly changed: number
  readonly watched: number
  readonly examples: readonly string[]
}

async function compareWithRelease(context: StepContext): Promise<StepOutcome> {
  const { parts, app, facts } = context
  const release = await newestRelease(parts.db, app.id)
  if (!release || !facts.source || (await hasMoreToBring(context, release))) {
    return { kind: 'skipped' }
  }
  const fault = seenToMend(app)
  if (fault !== undefined) {
    context.say(`not as its last deployment left it (${fault}): deploying`)
    return { kind: 'skipped' }
  }
  const from = joinedIn(release)?.checkout ?? release.commit
  const to = facts.source.checkout ?? facts.source.commit
  if (isAsReleased(facts, release)) {
    context.say(`unaffected: nothing of its folder changed since ${from.slice(0, 12)}`)
    return {
      kind: 'finished',
      outcome: 'unaffected',
      evidence: { from, to, observed: await lastSeen(parts, app) },
    }
  }
  if (facts.watch === undefined && ownFiles(facts).length === 0) {
    return { kind: 'skipped' }
  }
  const changes = (await tellWorker(context, {
    key: 'changes',
    command: 'repository.changes',
    data: {
      ...{ repository: facts.source.repository, from, to },
      ...{ watch: facts.watch ?? ['**'], ignore: ownFiles(facts) },
    },
  })) as unknown as Changes
  const { compared, changed, watched, examples } = changes
  const since = `since ${release.commit.slice(0, 12)}`
  if (compared === 'unknown') {
    context.say(`what changed ${since} cannot be told: deploying`)
    return { kind: 'skipped' }
  }
  if (watched === 0) {
    context.say(`unaffected: of ${changed} files that changed ${since} none is watched`)
    const observed = await lastSeen(parts, app)
    return { kind: 'finished', outcome: 'unaffected', evidence: { from, to, changed, observed } }
  }
  const shown = examples.map(path => JSON.stringify(path)).join(', ')
  context.say(`of ${changed} files that changed ${since} ${watched} are watched, such as ${shown}`)
  return done({ from, changed, watched })
}

/** Told by what is in the app's own folder, without a question to anybody. */
function isAsReleased({ fingerprint }: Facts, release: Selectable<ReleaseTable>): boolean {
  const { fingerprint: released } = JSON.parse(release.content) as { fingerprint?: string }
  return fingerprint !== undefined && fingerprint === released
}

/** Files that we write ourselves: what a push changes in them is no reason to deploy. */
function ownFiles({ urlFiles = [], isReport }: Facts): readonly string[] {
  return isReport === true ? [...urlFiles, ...WRITE_BACK_PATHS] : urlFiles
}

/** Whether a deployment would bring more than the push: what did not succeed, and what people have set since. */
async function hasMoreToBring(
  { parts: { db }, app, deployment, facts: { uses = [] } }: StepContext,
  release: Selectable<ReleaseTable>,
): Promise<boolean> {
  const last = await db
    .selectFrom('deployments')
    .select(['state', 'kind'])
    .where('app_id', '=', app.id)
    .where('id', '<', deployment.id)
    .where('state', '!=', 'superseded')
    // One at whose end nobody looked does not make good what failed before it.
    .where(eb => eb.or([eb('outcome', 'is', null), eb('outcome', 'not in', WITHOUT_LOOK)]))
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  const since = await beganOf(db, release)
  const isMade = await wasMadeSince(db, { repositoryId: app.repository_id ?? '', uses }, since)
  // What encrypted files say changes with the commit, so the comparison of commits tells it.
  const released = Object.fromEntries(
    Object.entries(JSON.parse(release.secrets ?? '{}') as SecretRevisions).filter(
      ([, each]) => !isOfFile(each),
    ),
  )
  const present = Object.entries(await presentRevisions(db, app))
  // Of those that are shared with others a release names only what it uses.
  const revisions = present.filter(
    ([name, each]) => typeof each === 'number' || Object.hasOwn(released, name),
  )
  return (
    last?.state !== 'succeeded' ||
    endsAll(last) ||
    isMade ||
    app.updated_at > since ||
    canonicalJson(Object.fromEntries(revisions)) !== canonicalJson(released)
  )
}

/** When the deployment began that brought what runs, or found it right: what was set later may not be in it. */
async function beganOf(db: StepContext['parts']['db'], release: Selectable<ReleaseTable>): Promise<number> {
  const deployment = await db
    .selectFrom('deployments')
    .select('started_at')
    .where('id', '=', release.confirmed_by ?? release.deployment_id)
    .executeTakeFirst()
  return deployment?.started_at ?? release.confirmed_at ?? release.created_at
}
