import { appsToCreate, createDescribedApps } from '#manager/apps/create-described.ts'
import { changedFirst } from '#manager/deployments/changed-first.ts'
import { isHint } from '#manager/deployments/deployment.ts'
import { noteShown } from '#manager/notebooks/note-shown.ts'
import { scanProjects } from '#manager/notebooks/scan-projects.ts'
import { readEntry } from '#manager/pipeline/app-entry.ts'
import { chooseEngine } from '#manager/pipeline/choose-engine.ts'
import { claimForApp } from '#manager/pipeline/claim-for-app.ts'
import {
  type DescribedApps,
  describedApps,
  refuseNothing,
  type Scan,
} from '#manager/pipeline/described-apps.ts'
import { holdRemovals } from '#manager/pipeline/hold-removals.ts'
import { joinedApps } from '#manager/pipeline/join-remotes.ts'
import { leavingApps } from '#manager/pipeline/make-room.ts'
import { planNewApps } from '#manager/pipeline/plan-new-apps.ts'
import { joinedOf, type Source } from '#manager/pipeline/source.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'
import { endUnwanted } from '#manager/pipeline/unwanted-app.ts'
import { refuseFailedImages } from '#manager/pipeline/used-images.ts'
import { endNotAsked, wishFor } from '#manager/pipeline/wish-for.ts'
import { AS_CHANGED, type Wish } from '#manager/triggers/commit-actions.ts'

/** Reads what the repository says about the app at this commit, and claims the domains it wants. */
export const read: Step = { name: 'read', deadlineMs: 5 * 60_000, run: readApp, recall: recallFacts }

async function readApp(context: StepContext): Promise<StepOutcome> {
  const described = await describe(context)
  context.facts.wish = wishOfPush(context, described)
  if (context.repository) {
    await changedFirst(context.parts.db, context.repository.id, described)
  }
  await holdRemovals(context, described)
  const { taken, ...planned } = await createOthers(context, described)
  await noteWithoutServer(context, described)
  const unwanted = await endUnwanted(context, described, taken)
  if (unwanted) {
    return unwanted
  }
  refuseNothing(described)
  const { target, deadlines, files } = await readFacts(context, described)
  if (deadlines.deployment !== undefined) {
    await context.limitDeployment(deadlines.deployment)
  }
  await noteRemotes(context, described.source)
  if (context.facts.wish.act === 'nothing') {
    return endNotAsked(context, described.source)
  }
  await refuseFailedImages(context, files)
  if (!context.facts.wish.dryRun) {
    await claimForApp(context)
  }
  return done({ target: target.name, domains: context.facts.domains, ...planned })
}

/** What the newest commit shows without deploying it. */
async function noteWithoutServer(
  { parts, repository, deployment, facts }: StepContext,
  { shown, notebooks, source }: DescribedApps,
): Promise<void> {
  const isTip = (deployment.wantedCommit ?? deployment.approved) === undefined
  if (repository && isTip && facts.wish?.dryRun !== true) {
    await noteShown(parts, repository, { shown, notebooks, commit: source.commit })
  }
}

async function noteRemotes({ parts, deployment, say }: StepContext, source: Source): Promise<void> {
  const joined = joinedOf(source)
  if (!joined) {
    return
  }
  for (const { name, branch, commit } of joined.remotes) {
    say(`with ${name}: ${branch} ${commit.slice(0, 12)}`)
  }
  await parts.db
    .updateTable('deployments')
    .set({ remotes: JSON.stringify(joined) })
    .where('id', '=', deployment.id)
    .execute()
}

async function createOthers(
  context: StepContext,
  described: DescribedApps,
): Promise<{
  readonly new_apps?: Readonly<Record<string, unknown>>
  readonly taken: readonly string[]
}> {
  const { parts, repository, say } = context
  const { convention } = described
  for (const { file, line, message } of convention?.problems ?? []) {
    say(`warning: ${file ?? ''}${line === undefined ? '' : `:${line}`} ${message}`)
  }
  if (repository?.auto_apps !== 1) {
    return { taken: [] }
  }
  const apps = await appsToCreate(parts, repository, described)
  if (apps.length > 0) {
    return { new_apps: await planNewApps(context, { repository, described, apps }), taken: [] }
  }
  const { created, taken } = await createDescribedApps(parts, repository, described)
  for (const name of created) {
    say(`the repository describes a new app "${name}": created`)
  }
  for (const name of taken) {
    say(`warning: the repository describes an app "${name}", but another one has this name: not created`)
  }
  if (created.length > 0) {
    parts.wake()
  }
  return { taken }
}

async function describe(context: StepContext): Promise<DescribedApps> {
  const { facts, repository, app, parts } = context
  if (!facts.source || !repository) {
    throw new Error('read before checkout')
  }
  const ask = (tell: Parameters<typeof tellWorker>[1]) => tellWorker(context, tell)
  const scan: Scan = source => scanProjects(parts, repository, source)
  const own = await describedApps(ask, facts.source, repository, scan)
  return await joinedApps(parts, ask, { app, repository }, own)
}

async function recallFacts(context: StepContext): Promise<void> {
  const described = await describe(context)
  context.facts.wish = wishOfPush(context, described)
  await readFacts(context, described)
}

/** Only a push asks by its message: what a person or a program wants is said otherwise. */
function wishOfPush({ deployment, repository, app }: StepContext, { apps, source }: DescribedApps): Wish {
  const { trigger, wantedCommit } = deployment
  const isPush = isHint(trigger) && trigger.kind !== 'schedule' && wantedCommit === undefined
  const entry = apps.find(({ name }) => name === app.entry)
  return isPush && repository ? wishFor(repository, source, entry ?? { name: app.entry }) : AS_CHANGED
}

async function readFacts(context: StepContext, described: DescribedApps) {
  const { facts, app } = context
  const entry = await readEntry(tell => tellWorker(context, tell), app, described)
  facts.target = entry.target
  facts.settings = entry.settings
  facts.source = entry.source
  facts.deadlines = entry.deadlines
  facts.watch = entry.watch
  facts.approval = entry.approval
  facts.onDrift = entry.onDrift
  facts.urlFile = entry.urlFile
  facts.urlFiles = entry.urlFiles
  facts.schedule = entry.schedule
  facts.secretFiles = entry.secretFiles
  facts.uses = entry.files?.uses ?? []
  facts.leaving = await leavingApps(context, described)
  facts.fingerprint = entry.files?.fingerprint
  facts.engine = await chooseEngine(context.parts, tell => tellWorker(context, tell), app, entry.engine)
  const { baseDomain, notebooks } = context.parts
  facts.domains = entry.target.domains(entry.settings, { name: app.name, baseDomain }, notebooks)
  return entry
}
