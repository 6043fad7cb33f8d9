import { createMissingApps } from '#manager/apps/create-missing.ts'
import { describedApps, readEntry } from '#manager/pipeline/app-entry.ts'
import { claimForApp } from '#manager/pipeline/claim-for-app.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'

/** Reads what the repository says about the app at this commit, and claims the domains it wants. */
export const read: Step = { name: 'read', deadlineMs: 2 * 60_000, run: readApp, recall: readFacts }

async function readApp(context: StepContext): Promise<StepOutcome> {
  const { parts, repository, facts } = context
  const { target, apps, deadlines } = await readFacts(context)
  if (deadlines.deployment !== undefined) {
    await context.limitDeployment(deadlines.deployment)
  }
  await claimForApp(context)
  if (repository?.auto_apps === 1) {
    const created = await createMissingApps(parts, repository, apps)
    for (const name of created) {
      context.say(`the repository describes a new app "${name}": created`)
    }
    if (created.length > 0) {
      parts.wake()
    }
  }
  return done({ target: target.name, domains: facts.domains })
}

async function readFacts(context: StepContext) {
  const { facts, app, repository } = context
  const source = facts.source
  if (!source || !repository) {
    throw new Error('read before checkout')
  }
  const apps = describedApps(source, repository)
  const entry = await readEntry(tell => tellWorker(context, tell), app, { source, apps })
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
  facts.domains = entry.target.domains(entry.settings, {
    name: app.name,
    baseDomain: context.parts.baseDomain,
  })
  return { ...entry, apps }
}
