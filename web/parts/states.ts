import type { AppDocument } from '#contract/rest/apps.ts'

export interface Look {
  readonly label: string
  readonly color: 'success' | 'error' | 'warning' | 'info' | 'neutral'
  readonly icon: string
}

const ENDED = 'i-lucide-circle-minus'

const LOOKS: Readonly<Record<string, Look>> = {
  queued: { label: 'Queued', color: 'neutral', icon: 'i-lucide-clock' },
  running: { label: 'Running', color: 'info', icon: 'i-lucide-loader-circle' },
  waiting: { label: 'Waiting for approval', color: 'warning', icon: 'i-lucide-hand' },
  succeeded: { label: 'Succeeded', color: 'success', icon: 'i-lucide-circle-check' },
  failed: { label: 'Failed', color: 'error', icon: 'i-lucide-circle-x' },
  cancelled: { label: 'Cancelled', color: 'neutral', icon: ENDED },
  superseded: { label: 'Superseded', color: 'neutral', icon: 'i-lucide-chevrons-right' },
  done: { label: 'Done', color: 'success', icon: 'i-lucide-circle-check' },
  skipped: { label: 'Nothing to do', color: 'neutral', icon: ENDED },
}

const HEALTH: Readonly<Record<string, Look>> = {
  running: { label: 'Healthy', color: 'success', icon: 'i-lucide-circle-check' },
  asleep: { label: 'Asleep', color: 'info', icon: 'i-lucide-moon' },
  degraded: { label: 'Degraded', color: 'warning', icon: 'i-lucide-triangle-alert' },
  stopped: { label: 'Not running', color: 'error', icon: 'i-lucide-circle-stop' },
  off: { label: 'Stopped', color: 'neutral', icon: 'i-lucide-circle-stop' },
  missing: { label: 'Missing', color: 'error', icon: 'i-lucide-circle-x' },
  'not-deployed': { label: 'Not deployed yet', color: 'neutral', icon: 'i-lucide-circle-dashed' },
  'nothing-to-run': { label: 'Nothing to run', color: 'neutral', icon: 'i-lucide-package' },
  unknown: { label: 'Unknown', color: 'neutral', icon: 'i-lucide-circle-help' },
}

/** How the state of a deployment or of a step looks. */
export function deploymentLook(state: string): Look {
  return LOOKS[state] ?? { label: state, color: 'neutral', icon: 'i-lucide-circle-help' }
}

/** How what was seen of an app looks. */
export function healthLook(state: string): Look {
  return HEALTH[state] ?? { label: state, color: 'neutral', icon: 'i-lucide-circle-help' }
}

/** What is shown of how an app does: one that a person has stopped is as it should be. */
export function healthOf({ observed, stopped }: Pick<AppDocument, 'observed' | 'stopped'>): string {
  return stopped !== null && observed.state === 'stopped' ? 'off' : observed.state
}

/** Whether nothing will happen to a deployment any more. */
export function isOver(state: string): boolean {
  return ['succeeded', 'failed', 'cancelled', 'superseded'].includes(state)
}

/** Whether the outcome says more than the state beside it. */
export function isTelling(outcome: string, state: string): boolean {
  return outcome !== state && outcome !== 'deployed'
}

/** How a deployment ended, more exactly than its state: `Nothing to do`, `Rolled back`. */
export function outcomeText(outcome: string): string {
  const words = outcome.replaceAll('-', ' ')
  return words.slice(0, 1).toUpperCase() + words.slice(1)
}

const TRIGGERS: Readonly<Record<string, string>> = {
  api: 'by hand',
  ci: 'by a CI job',
  signed: 'by a signed call',
  webhook: 'by a push',
  poll: 'by polling',
  schedule: 'by its schedule',
  image: 'by a new image',
  files: 'because its files went',
  drift: 'to repair drift',
  registration: 'when it was added',
  rollback: 'as a rollback',
}

export function triggerText({ kind, by }: { readonly kind: string; readonly by: string }): string {
  const words = TRIGGERS[kind] ?? kind
  return kind === 'api' && by !== '' ? `${words} (${by})` : words
}
