import { LOCAL_ENGINE } from '#commands/engine.ts'
import { INTERNAL } from '#lib/errors.ts'
import { movedImages } from '#manager/apps/moved-images.ts'
import { claimService, plannedService, refuseTakenService } from '#manager/artifacts/service-names.ts'
import { refuseTakenPorts } from '#manager/firewall/published-ports.ts'
import { noteExamined } from '#manager/notebooks/note-examined.ts'
import { driftedParts } from '#manager/observation/drift-state.ts'
import { draftRelease } from '#manager/pipeline/draft-release.ts'
import { keepFacts } from '#manager/pipeline/kept-facts.ts'
import { type MadePlan, makePlan, moveOf } from '#manager/pipeline/make-plan.ts'
import { changeText, planDifference } from '#manager/pipeline/plan-difference.ts'
import { readPlanInput } from '#manager/pipeline/plan-input.ts'
import { readSecretFiles } from '#manager/pipeline/read-secret-files.ts'
import { checkoutTell, tagsTell } from '#manager/pipeline/source.ts'
import {
  type Confirmation,
  done,
  type Step,
  type StepContext,
  type StepOutcome,
} from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'
import { claimPaths, pushedPaths, refuseTakenPaths } from '#manager/registry/claim-paths.ts'
import { noteGivenNames } from '#manager/releases/given-names.ts'
import { keepFileSecrets } from '#manager/secrets/file-secrets.ts'
import { SOON } from '#manager/store/soon.ts'
import type { DriftedParts } from '#targets/drifted-parts.ts'
import type { Tell } from '#targets/target.ts'

/** Decides what will be done, from what the repository wants and what the worker found. Pure but for the asking. */
export const plan: Step = {
  name: 'plan',
  deadlineMs: 2 * 60_000,
  run: planDeployment,
  recall: refuseForgotten,
  // Secrets, the registry and the base domain are read again, so what the worker said of the ones before is void.
  asksAnew: true,
}

async function planDeployment(context: StepContext): Promise<StepOutcome> {
  const drifted = driftedParts(context.app)
  const made = await planFacts(context, drifted)
  await noteExamined(context)
  const pushed = { app: context.app, paths: made.paths }
  const service = { app: context.app, service: made.service }
  await refuseTakenPaths(context.parts.db, pushed)
  await refuseTakenService(context.parts.db, service)
  await context.parts.db
    .updateTable('deployments')
    .set({
      plan: JSON.stringify(made.shown),
      plan_hash: made.hash,
      drifted: drifted ? JSON.stringify(drifted) : null,
    })
    .where('id', '=', context.deployment.id)
    .modifyEnd(SOON)
    .execute()
  await keepFacts(context)
  for (const change of made.plan.changes) {
    context.say(`plan: ${changeText(change)}`)
  }
  const { unaffected } = made.plan
  if (unaffected !== undefined) {
    context.say(`unaffected: ${unaffected}`)
    const evidence = { from: made.previous?.commit, to: context.facts.source?.commit, why: unaffected }
    return { kind: 'finished', outcome: 'unaffected', evidence }
  }
  // What is on the engine that the app leaves has to go, also when everything is on the new one already.
  if (made.plan.nothingToDo && context.facts.movesFrom === undefined) {
    return {
      kind: 'finished',
      outcome: 'nothing-to-do',
      evidence: made.found,
      ...confirmationOf(context, made),
    }
  }
  await refusePorts(context, made)
  if (context.facts.wish?.dryRun === true) {
    return endDryRun(context, made)
  }
  if (!isApproved(context, made)) {
    return waitForApproval(context, made)
  }
  await claimPaths(context.parts.db, pushed, context.parts.clock.now())
  await claimService(context.parts.db, service, context.parts.clock.now())
  const { app, facts } = context
  const place = { host: app.host, engine: facts.engine ?? LOCAL_ENGINE, app: app.name }
  await noteGivenNames(context.parts.db, place, made.plan)
  return done({ hash: made.hash })
}

/** Before anything is built; they are claimed when that is done, by the step open-ports. */
async function refusePorts({ app, facts, parts }: StepContext, { plan: planned }: MadePlan): Promise<void> {
  const { engine, leaving } = facts
  await refuseTakenPorts(parts.db, { app, engine, leaving, ports: planned.publishes ?? [] })
}

/** The plan is in the deployment's row, and what it was made from was rendered on the worker. */
function endDryRun({ say }: StepContext, { plan: planned, hash }: MadePlan): StepOutcome {
  for (const { command, key } of [...planned.build, ...planned.push, ...planned.apply, ...planned.route]) {
    say(`would run: ${command} (${key})`)
  }
  say('dry run: the message of the commit asks for the plan alone, nothing is done')
  return { kind: 'finished', outcome: 'dry-run', evidence: { plan: hash, changes: planned.changes } }
}

/** A deployment that waited once is not let off: nobody agreed to what it would do now. */
function isApproved({ app, facts, deployment }: StepContext, { hash }: MadePlan): boolean {
  const { approved } = deployment
  const isAsked = deployment.kind === 'deploy' && deployment.wantedRelease === undefined
  const isRequired = isAsked && (app.approval === 1 || facts.approval === 'required')
  return approved ? approved.hash === hash : !isRequired
}

function waitForApproval({ deployment, say }: StepContext, { hash, shown }: MadePlan): StepOutcome {
  const changed = deployment.approved ? planDifference(deployment.plan, shown) : []
  for (const difference of changed) {
    say(`not as it was approved: ${difference}`)
  }
  say(`waits for an approval of plan ${hash.slice(0, 16)}: fairlead approve ${deployment.id}`)
  return { kind: 'waiting', hash, changed }
}

/** What runs is of this commit too, whichever one it was made from. */
function confirmationOf(context: StepContext, { plan: planned, previous }: PlannedFacts): Confirmation {
  const { source, goal } = context.facts
  if (!previous || !source) {
    return { release: draftRelease(context, planned) }
  }
  return goal ? {} : { confirms: { release: previous.id, commit: source.commit } }
}

/** After a restart the plan is there already (kept-facts.ts): another one made now might not be the one that was begun. */
async function refuseForgotten({ deployment }: StepContext): Promise<void> {
  throw INTERNAL(`the plan of the deployment ${deployment.id} was not kept`)
}

/** A release needs its commit only where the host has lost what it kept of it. */
function checkoutOfGoal({ facts: { goal }, repository, parts }: StepContext): Tell | undefined {
  return goal && repository
    ? checkoutTell(repository, { sealer: parts.sealer, commit: goal.commit })
    : undefined
}

type PlannedFacts = Awaited<ReturnType<typeof planFacts>>

async function planFacts(context: StepContext, drifted: DriftedParts | undefined) {
  const { facts, parts, app, deployment } = context
  if (!facts.target || !facts.settings || !facts.source) {
    throw new Error('plan before read')
  }
  const entry = { target: facts.target, settings: facts.settings, source: facts.source }
  const inFiles = await readSecretFiles(parts, tell => tellWorker(context, tell), {
    ...{ repository: context.repository, source: facts.source },
    files: facts.goal ? [] : (facts.secretFiles ?? []),
  })
  const { input, secretRevisions } = await readPlanInput(parts, app, {
    deployment: deployment.id,
    files: inFiles && (await keepFileSecrets(parts, app.id, inFiles)),
    goal: facts.goal,
    drifted,
    moved: deployment.trigger.kind === 'image' ? movedImages(app).bring : undefined,
    uses: facts.uses,
    wanted: deployment.wantedArtifact,
    tags: context.repository && tagsTell(context.repository, parts.sealer, facts.source.commit),
  })
  const move = moveOf(app, facts.engine, input)
  facts.movesFrom = move?.from
  const whole = { ...input, checkout: checkoutOfGoal(context) }
  const made = await makePlan(tell => tellWorker(context, tell), entry, whole, move)
  facts.plan = made.plan
  facts.configHash = made.configHash
  facts.secretRevisions = secretRevisions
  const service = plannedService(facts.target, made.plan)
  return { ...made, previous: input.previous, paths: pushedPaths(made.plan, input.registry), service }
}
