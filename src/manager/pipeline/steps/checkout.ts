import type { Deployment } from '#manager/deployments/deployment.ts'
import { lastSeen } from '#manager/observation/last-seen.ts'
import { noteDeployment } from '#manager/outbox/note-deployment.ts'
import { NOTHING_TO_DEPLOY } from '#manager/pipeline/errors.ts'
import { guardHint } from '#manager/pipeline/guard-hint.ts'
import { refuseOnce } from '#manager/pipeline/refuse-once.ts'
import { sharedCheckout } from '#manager/pipeline/shared-checkout.ts'
import { fetchSource, type Source } from '#manager/pipeline/source.ts'

import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'
import { newestRelease } from '#manager/releases/queries.ts'
import { SOON } from '#manager/store/soon.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { appsBehind, isBeingRead } from '#manager/triggers/apps-behind.ts'
import { coverTip } from '#manager/triggers/cover-tip.ts'

/** Brings the commit into the worker's workspace. A trigger only says "look": the tip of the branch is read here. */
export const checkout: Step = {
  name: 'checkout',
  deadlineMs: 5 * 60_000,
  run: checkoutCommit,
  // One that was shared is not in the journal.
  recall: context => fetchFacts(context, context.deployment.commit),
}

async function checkoutCommit(context: StepContext): Promise<StepOutcome> {
  const { source, newest } = await fetchFacts(context)
  await noteCommit(context, source)
  await noteTip(context, source.commit)
  context.say(`commit ${source.commit.slice(0, 12)} ${source.subject}`)
  const guarded = await guardHint(context, source, newest?.held_commit ?? undefined)
  if (guarded) {
    context.say(guarded.words)
    // Nobody looks now: what is said of the release that stays is the last look, with its age.
    const observed = await lastSeen(context.parts, context.app)
    const evidence = { held: source.commit, release: newest?.id, from: newest?.commit, observed }
    return { kind: 'finished', outcome: guarded.outcome, evidence }
  }
  return done({ commit: source.commit, subject: source.subject, author: source.author })
}

async function noteCommit(
  { parts, deployment, repository }: StepContext,
  { commit, subject }: Source,
): Promise<void> {
  const note = (db: typeof parts.db) =>
    db.updateTable('deployments').set({ commit, commit_subject: subject }).where('id', '=', deployment.id)
  if (!parts.outbox.interest().reports.has(repository?.id ?? '')) {
    await note(parts.db).modifyEnd(SOON).execute()
    return
  }
  await inTransaction(parts.db, async db => {
    await note(db).execute()
    await noteDeployment({ ...parts, db }, deployment.id)
  })
}

/**
 * The tip of the branch was seen here as well as by a poll, so the next poll finds nothing new: what a person asks for
 * meanwhile stays. A poll that saw another tip since this deployment began knows better.
 */
async function noteTip({ parts, repository, deployment }: StepContext, tip: string): Promise<void> {
  const isTip = deployment.wantedCommit === undefined && approvedCommit(deployment) === undefined
  if (!repository || !isTip || repository.last_tip === tip) {
    return
  }
  const note = (db: typeof parts.db) =>
    db
      .updateTable('repositories')
      .set({ last_tip: tip })
      .where('id', '=', repository.id)
      .where('last_tip', 'is', repository.last_tip)
  const behind = await appsBehind(parts.db, repository, { tip, now: parts.clock.now() })
  if (behind.length === 0) {
    // Its own app is at it already: lost with the power, the next poll only looks again.
    await note(parts.db).modifyEnd(SOON).execute()
    return
  }
  if (await isBeingRead(parts.db, repository.id)) {
    // Another app's deployment, which comes here in its turn; and the next poll does.
    return
  }
  await inTransaction(parts.db, async db => {
    await coverTip({ ...parts, db }, repository, tip)
    await note(db).execute()
  })
  parts.wake()
}

/** What was approved is the plan of one commit, wherever the branch is by now. */
function approvedCommit({ approved, commit }: Deployment): string | undefined {
  return approved && commit
}

async function fetchFacts(context: StepContext, recalled?: string) {
  const { repository, app, deployment, parts, facts } = context
  if (!repository) {
    throw NOTHING_TO_DEPLOY(deployment.wantedCommit ?? 'unknown')
  }
  await refuseOnce(context)
  const ask = (tell: Parameters<typeof tellWorker>[1]) => tellWorker(context, tell)
  const newest = await newestRelease(parts.db, app.id)
  const commit = approvedCommit(deployment) ?? deployment.wantedCommit ?? recalled
  const options = {
    sealer: parts.sealer,
    commit,
    // A webhook says that the tip moved: asking first would only cost time.
    known: deployment.trigger.kind === 'webhook' ? undefined : (newest?.confirmed_commit ?? newest?.commit),
  }
  const look = () => fetchSource(ask, repository, options)
  const isShared = commit === undefined && app.by_files === 'notebook'
  const source = isShared ? await sharedCheckout(context, look) : await look()
  facts.source = source
  return { source, newest }
}
