import type { Report, ReportState } from '#git-hosts/report.ts'
import { addressOfPlace } from '#lib/place.ts'
import { isWithoutEffect, isWithoutLook, type WithoutEffect } from '#manager/deployments/without-effect.ts'
import { isPublicAddress } from './public-address.ts'
import type { ReportNote } from './report-note.ts'

export interface TextRules {
  /** May name private addresses and the words of errors. */
  readonly details: boolean
}

/** Git hosts take so many characters. */
const MOST_CHARACTERS = 140

/** What a Git host may read of a note. Unless details are wanted: public addresses only, and of an error its code. Pure. */
export function reportText(note: ReportNote, { details }: TextRules): Omit<Report, 'remote' | 'isRetry'> {
  const shown = (url: string | undefined) =>
    url !== undefined && (details || isPublicAddress(url)) ? url : undefined
  const [domain] = note.domains
  return {
    commit: note.commit,
    state: stateOf(note),
    context: `fairlead/${note.app}`,
    environment: note.app,
    description: cut(describe(note, details)),
    // Nobody looked whether the app answers.
    appUrl: isWithoutLook(note.outcome) ? undefined : shown(domain && addressOfPlace(domain, note.visitors)),
    deployment: note.deployment,
  }
}

/** Some succeed because nothing was to be done: it is not this commit that runs. */
function stateOf({ state, outcome }: ReportNote): ReportState {
  if (state !== 'succeeded') {
    return state
  }
  switch (outcome) {
    case 'held-by-rollback':
    case 'skipped-by-message':
    case 'files-gone':
    case 'not-asked':
    case 'dry-run':
    case 'built':
      return 'superseded'
    case 'own-commit':
      return 'skipped'
    default:
      return 'succeeded'
  }
}

function describe(note: ReportNote, details: boolean): string {
  switch (note.state) {
    case 'queued':
      return 'Waits for its turn'
    case 'running':
      return 'Is being deployed'
    case 'waiting':
      return 'Waits until a person approves its plan'
    case 'succeeded':
      return describeSuccess(note)
    case 'failed':
      return describeFailure(note, details)
    case 'cancelled':
      return 'Cancelled'
    case 'superseded':
      return 'Superseded by a newer deployment'
  }
}

function describeSuccess({ outcome, seconds }: ReportNote): string {
  const took = seconds === undefined ? '' : ` in ${seconds} s`
  if (isWithoutEffect(outcome)) {
    return UNTOUCHED[outcome]
  }
  return outcome === 'rolled-back' ? `Rolled back to this commit${took}` : `Deployed and verified${took}`
}

const UNTOUCHED: Readonly<Record<WithoutEffect, string>> = {
  'nothing-to-do': 'Nothing to do: exactly this runs already',
  unaffected: 'Not affected: nothing that belongs to this app changed',
  'own-commit': 'Nothing to deploy: Fairlead pushed this commit itself',
  'skipped-by-message': 'Not deployed: the message of the commit asks for that',
  'held-by-rollback': 'Not deployed: the app was rolled back from this commit',
  'files-gone': 'Not deployed: the app is wanted no more and is removed',
  'not-asked': 'Not deployed: the message of the commit asks for other apps',
  'dry-run': 'Not deployed: the message of the commit asks for the plan alone',
  built: 'Built, not deployed: the message of the commit asks for that',
}

function describeFailure({ failedStep, error, outcome }: ReportNote, details: boolean): string {
  const where = failedStep === undefined ? 'Failed' : `Failed in step ${failedStep}`
  const runs = outcome === 'returned-to-previous' ? '; the release before runs on' : ''
  const words = details && error ? `: ${error.message}` : ''
  return `${where} (${error?.code ?? 'unknown'})${runs}${words}`
}

function cut(text: string): string {
  const characters = [...text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()]
  return characters.length <= MOST_CHARACTERS
    ? characters.join('')
    : `${characters.slice(0, MOST_CHARACTERS - 1).join('')}…`
}
