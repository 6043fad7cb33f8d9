import type { Kysely } from 'kysely'
import { toWire } from '#lib/errors.ts'
import { failpoint } from '#lib/failpoint.ts'
import { newId } from '#lib/id.ts'
import { releaseDomains } from '#manager/apps/domains.ts'
import { releaseOpenings } from '#manager/firewall/openings.ts'
import { noteNotebook } from '#manager/notebooks/note-notebook.ts'
import { notePackages } from '#manager/notebooks/packages-place.ts'
import { noteDeployment } from '#manager/outbox/note-deployment.ts'
import type { EndedPipeline } from '#manager/pipeline/step.ts'
import { storeRelease } from '#manager/releases/store-release.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { goOnByFiles } from './after-files.ts'
import { type Deployment, endsAll } from './deployment.ts'
import { forgetFacts } from './forget-facts.ts'
import { lookAgainAfter } from './look-again.ts'
import { noteStop } from './note-stop.ts'
import { keepPast } from './past.ts'
import { readDeployment } from './queries.ts'
import { type DeploymentsContext, requestWhatWaits } from './request.ts'
import { withdrawWishes } from './withdraw-wishes.ts'

/** The one place that ends a running deployment: state, outcome, release, domains, in one transaction. */
export async function finishDeployment(
  context: DeploymentsContext,
  deployment: Deployment,
  end: EndedPipeline,
): Promise<void> {
  const { db, clock, events } = context
  failpoint('manager', 'finish', 'before-row')
  await inTransaction(db, async transaction => {
    const releaseId = end.state === 'succeeded' && end.release ? newId() : null
    await transaction
      .updateTable('deployments')
      .set({
        state: end.state,
        outcome: end.outcome,
        finished_at: clock.now(),
        evidence: end.evidence === undefined ? null : JSON.stringify(end.evidence),
        error: end.error ? JSON.stringify(toWire(end.error)) : null,
        failed_step: end.failedStep ?? null,
        release_id: releaseId ?? end.confirms?.release ?? null,
      })
      .where('id', '=', deployment.id)
      .execute()
    await forgetFacts(transaction, deployment.id)
    if (releaseId && end.release) {
      await storeRelease({ ...context, db: transaction }, { id: releaseId, deployment, draft: end.release })
      await notePackages({ ...context, db: transaction }, deployment.appId, end.release)
    }
    if (end.confirms) {
      await transaction
        .updateTable('releases')
        .set({
          confirmed_commit: end.confirms.commit,
          confirmed_by: deployment.id,
          confirmed_at: clock.now(),
        })
        .where('id', '=', end.confirms.release)
        .execute()
    }
    if (end.place) {
      const { engine, left } = end.place
      await transaction
        .updateTable('apps')
        .set({ engine, left_engines: left.length === 0 ? null : JSON.stringify(left) })
        .where('id', '=', deployment.appId)
        .execute()
    }
    await goOnByFiles({ ...context, db: transaction }, deployment, end)
    await requestWhatWaits({ ...context, db: transaction }, await asItIsNow(transaction, deployment))
    if (end.state !== 'succeeded' && !endsAll(deployment)) {
      await withdrawWishes(transaction, deployment.appId)
    }
    await releaseDomains(transaction, deployment.appId, end)
    await releaseOpenings(transaction, deployment, end)
    await noteDeployment({ ...context, db: transaction }, deployment.id, end.visitors)
    if (end.notebook || end.state === 'failed' || endsAll(deployment)) {
      await noteNotebook({ ...context, db: transaction }, deployment, end)
    }
    await noteStop({ ...context, db: transaction }, deployment, end)
    const isGone = deployment.kind === 'remove' && end.state === 'succeeded'
    if (isGone && !(await isWantedAgain(transaction, deployment))) {
      const app = { id: deployment.appId, name: deployment.app }
      await lookAgainAfter(transaction, deployment)
      await keepPast(transaction, app, clock.now())
      await transaction.deleteFrom('apps').where('id', '=', deployment.appId).execute()
    }
  })
  failpoint('manager', 'finish', 'after-row')
  events.publish('deployment', { id: deployment.id, app: deployment.app, state: end.state })
}

/** A push that came during a removal or a stop is noted in its row. */
async function asItIsNow(db: Kysely<Tables>, deployment: Deployment): Promise<Deployment> {
  return endsAll(deployment) ? await readDeployment(db, deployment.id) : deployment
}

/** What waited behind the removal is queued now. */
async function isWantedAgain(db: Kysely<Tables>, { appId }: Deployment): Promise<boolean> {
  const queued = await db
    .selectFrom('deployments')
    .select('id')
    .where('app_id', '=', appId)
    .where('state', '=', 'queued')
    .executeTakeFirst()
  return queued !== undefined
}
