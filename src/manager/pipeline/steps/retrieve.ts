import { noteDeployment } from '#manager/outbox/note-deployment.ts'
import { engineOf } from '#manager/pipeline/choose-engine.ts'
import { claimForApp } from '#manager/pipeline/claim-for-app.ts'
import { overriddenDeadlines } from '#manager/pipeline/deadlines.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { RELEASE_INCOMPLETE } from '#manager/releases/errors.ts'
import { readGoal } from '#manager/releases/queries.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { scheduleOf } from '#manager/triggers/schedule-times.ts'
import { targetNamed } from '#targets/index.ts'

/** Reads the release that shall come back. Nothing of it is in the repository: the Git server may be down or rewritten. */
export const retrieve: Step = {
  name: 'retrieve',
  deadlineMs: 60_000,
  run: retrieveRelease,
  recall: readFacts,
}

async function retrieveRelease(context: StepContext): Promise<StepOutcome> {
  const { commit, commitSubject, id } = await readFacts(context)
  const { deployment } = context.facts.deadlines ?? {}
  if (deployment !== undefined) {
    await context.limitDeployment(deployment)
  }
  await inTransaction(context.parts.db, async db => {
    await db
      .updateTable('deployments')
      .set({ commit, commit_subject: commitSubject })
      .where('id', '=', context.deployment.id)
      .execute()
    await noteDeployment({ ...context.parts, db }, context.deployment.id)
  })
  await claimForApp(context)
  const { kind, detail } = context.deployment.trigger
  if (kind === 'drift') {
    context.say(`repairs what was changed by hand: ${detail}`)
  }
  context.say(`release ${id}: commit ${commit.slice(0, 12)} ${commitSubject}`)
  return done({ release: id, commit, target: context.facts.target?.name, domains: context.facts.domains })
}

async function readFacts({ parts, app, repository, deployment, facts }: StepContext) {
  const goal = await readGoal(parts, app, deployment.wantedRelease ?? '')
  const target = targetNamed(goal.target)
  if (!target) {
    throw RELEASE_INCOMPLETE(app.name, goal.commit)
  }
  facts.goal = goal
  facts.target = target
  // A release is brought back to where its app is.
  facts.engine = engineOf(app)
  facts.settings = goal.settings
  facts.urlFile = app.url_file ?? undefined
  facts.schedule = scheduleOf(app)
  facts.deadlines = { ...goal.deadlines, ...overriddenDeadlines(app.overrides) }
  const named = { name: app.name, baseDomain: parts.baseDomain }
  facts.domains = target.domains(goal.settings, named, parts.notebooks)
  facts.source = {
    commit: goal.commit,
    subject: goal.commitSubject,
    author: '',
    branch: repository?.branch ?? '',
    repository: app.repository_id ?? '',
    texts: {},
    paths: [],
    ...goal.joined,
  }
  return goal
}
