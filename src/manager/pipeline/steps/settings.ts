import { claimForApp } from '#manager/pipeline/claim-for-app.ts'
import { APP_NOT_IN_REPOSITORY } from '#manager/pipeline/errors.ts'
import { ownEntry } from '#manager/pipeline/own-entry.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'

/** Reads how an app without a repository is to run: that is kept with the app. */
export const settings: Step = {
  name: 'settings',
  deadlineMs: 60_000,
  run: readSettings,
  recall: readFacts,
}

async function readSettings(context: StepContext): Promise<StepOutcome> {
  const { commit, subject } = await readFacts(context)
  await context.parts.db
    .updateTable('deployments')
    .set({ commit, commit_subject: subject })
    .where('id', '=', context.deployment.id)
    .execute()
  await claimForApp(context)
  return done({ target: context.facts.target?.name })
}

async function readFacts({ app, parts, facts }: StepContext) {
  const entry = ownEntry(app)
  if (!entry) {
    throw APP_NOT_IN_REPOSITORY(app.entry, 'the settings of the app')
  }
  const { target, settings: wanted, source } = entry
  facts.target = target
  facts.settings = wanted
  facts.source = source
  const named = { name: app.name, baseDomain: parts.baseDomain }
  facts.domains = target.domains(wanted, named, parts.notebooks)
  return source
}
