import { INTERNAL } from '#lib/errors.ts'
import { type KeptSettings, settingsPlace } from '#manager/releases/queries.ts'
import type { SecretRevisions } from '#manager/secrets/queries.ts'
import type { Plan } from '#targets/target.ts'
import { fill } from './fill.ts'
import { joinedOf } from './source.ts'
import type { ReleaseDraft, StepContext } from './step.ts'

/** What a deployment that ends well leaves to go back to. */
export function draftRelease(context: StepContext, plan: Plan): ReleaseDraft {
  const { parts, app, facts, results } = context
  const { source, target, settings, deadlines = {}, configHash, secretRevisions = {}, goal } = facts
  if (!source || !target || !settings || configHash === undefined) {
    throw INTERNAL('a deployment ended well without a plan')
  }
  const kept: KeptSettings = { settings: target.settle(settings, source), deadlines }
  return {
    commit: source.commit,
    commitSubject: source.subject,
    joined: joinedOf(source),
    target: target.name,
    settingsSealed: parts.sealer.seal(JSON.stringify(kept), settingsPlace(app.id)),
    secretRevisions: usedRevisions(secretRevisions, kept),
    origin: goal?.origin,
    configHash,
    content: {
      ...fill(plan.release, results),
      ...(facts.fingerprint === undefined ? {} : { fingerprint: facts.fingerprint }),
    },
  }
}

/** Its own all; of those that it shares with others what its settings name, so that a change of the rest is no news for it. */
function usedRevisions(revisions: SecretRevisions, { settings }: KeptSettings): SecretRevisions {
  const words = new Set(JSON.stringify(settings).match(/\w+/g))
  return Object.fromEntries(
    Object.entries(revisions).filter(([name, each]) => typeof each === 'number' || words.has(name)),
  )
}
