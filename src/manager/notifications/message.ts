import type { ChannelEvent } from '#contract/rest/notifications.ts'
import type { WireError } from '#lib/errors.ts'
import { addressOfPlace } from '#lib/place.ts'
import type { VisitorPorts } from '#lib/visit-origin.ts'
import type { Deployment, Trigger } from '#manager/deployments/deployment.ts'

/** What people are told, before it is put into the form of a channel. */
export interface Message {
  readonly event: ChannelEvent | 'test'
  /** ms since 1970. */
  readonly at: number
  readonly app?: string | undefined
  readonly repository?: string | undefined
  readonly organisation?: string | undefined
  /** One line. */
  readonly title: string
  readonly commit?: string | undefined
  /** First line of the commit's message: whoever may push chose it. */
  readonly subject?: string | undefined
  /** What asked for the deployment. */
  readonly asked?: string | undefined
  readonly deployment?: string | undefined
  readonly state?: string | undefined
  readonly outcome?: string | undefined
  readonly step?: string | undefined
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string } | undefined
  /** Host names of the app, with the part of a host that it has. */
  readonly addresses?: readonly string[]
  /** Where visitors find it. */
  readonly urls?: readonly string[]
  /** More about it, in words. */
  readonly detail?: string | undefined
  /** What to type next. */
  readonly next?: string | undefined
}

const MOST_SUBJECT = 200
const MOST_TEXT = 2000

export function deploymentMessage(
  deployment: Deployment,
  event: ChannelEvent,
  {
    now,
    domains,
    visitors,
  }: {
    readonly now: number
    readonly domains: readonly string[]
    readonly visitors?: VisitorPorts | undefined
  },
): Message {
  const { app, id, error } = deployment
  return {
    event,
    at: now,
    app,
    title: titleOf(deployment, event),
    commit: deployment.commit ?? deployment.wantedCommit,
    subject: deployment.commitSubject?.slice(0, MOST_SUBJECT),
    asked: askedBy(deployment.trigger),
    deployment: id,
    state: deployment.state,
    outcome: deployment.outcome,
    step: deployment.failedStep,
    error: error && errorOf(error),
    addresses: domains,
    urls: domains.map(place => addressOfPlace(place, visitors)),
    next: event === 'waiting' ? `fairlead approve ${id}` : `fairlead logs ${id}`,
  }
}

/** About an app that is not as its last deployment left it, or is so again. */
export function driftMessage(
  news: { readonly app: string; readonly state: string; readonly reason: string },
  now: number,
): Message | undefined {
  const title = DRIFT_TITLES[news.state]
  return title === undefined
    ? undefined
    : {
        event: 'drift',
        at: now,
        app: news.app,
        title: `${news.app} ${title}`,
        detail: news.reason.slice(0, MOST_TEXT),
        next: `fairlead apps show ${news.app}`,
      }
}

/** About a repository that cannot be read or was stopped, or whose Git host takes no reports. */
export function problemMessage(
  {
    repository,
    what,
    error,
  }: { readonly repository: string; readonly what: string; readonly error: WireError },
  now: number,
): Message {
  return {
    event: 'problem',
    at: now,
    repository,
    title: `${repository}: ${what}`,
    error: errorOf(error),
    next: `fairlead repositories check ${repository}`,
  }
}

/** About apps that their files want no more and that go on until a person agrees. */
export function heldMessage(
  {
    repository,
    names,
    total,
  }: { readonly repository: string; readonly names: readonly string[]; readonly total: number },
  now: number,
): Message {
  return {
    event: 'problem',
    at: now,
    repository,
    title: `${repository}: its files want ${names.length} of ${total} apps no more`,
    detail: `Nothing is removed until somebody agrees: ${names.join(', ')}`.slice(0, MOST_TEXT),
    next: `fairlead repositories removals ${repository}`,
  }
}

/** About an app that waits for a person, because it goes round in a circle with something. */
export function pausedMessage(
  { app, deployment, reason }: { readonly app: string; readonly deployment: string; readonly reason: string },
  now: number,
): Message {
  return {
    event: 'problem',
    at: now,
    app,
    title: `${app} is paused`,
    deployment,
    detail: `${reason}. What is queued waits until somebody has looked.`,
    next: `fairlead apps resume ${app}`,
  }
}

/** About a host that will not be reached any more, if nobody acts. */
export function hostMessage(
  { host, warning }: { readonly host: string; readonly warning: string },
  now: number,
): Message {
  return { event: 'problem', at: now, title: `${host}: ${warning}`, next: 'fairlead hosts' }
}

/** About an organisation that cannot be listed, or of which several repositories have gone. */
export function organisationMessage(
  about: {
    readonly organisation: string
    readonly what: string
    readonly error?: WireError
    readonly detail?: string
  },
  now: number,
): Message {
  const { organisation, what, error, detail } = about
  return {
    event: 'problem',
    at: now,
    organisation,
    title: `${organisation}: ${what}`,
    error: error && errorOf(error),
    detail: detail?.slice(0, MOST_TEXT),
    next: `fairlead organisations check ${organisation}`,
  }
}

export function testMessage(channel: string, now: number): Message {
  return {
    event: 'test',
    at: now,
    title: `Fairlead can reach the channel ${channel}`,
    detail: 'Nothing happened: somebody asked for this test.',
  }
}

const DRIFT_TITLES: Readonly<Record<string, string>> = {
  drifted: 'was changed by hand',
  'drift-ended': 'is again as its last deployment left it',
  'drift-given-up': 'was changed by hand again and again; repairing it was given up',
}

function titleOf({ app, failedStep, outcome, kind }: Deployment, event: ChannelEvent): string {
  switch (event) {
    case 'failed':
      return `${app}: the deployment failed${failedStep === undefined ? '' : ` in step ${failedStep}`}`
    case 'recovered':
      return `${app} is deployed again after a failure`
    case 'waiting':
      return `${app}: a deployment waits for an approval`
    default:
      return kind === 'remove' ? `${app} is removed` : `${app} is ${SUCCESS[outcome ?? ''] ?? 'deployed'}`
  }
}

const SUCCESS: Readonly<Record<string, string>> = { 'rolled-back': 'rolled back', stopped: 'stopped' }

function askedBy({ kind, by, detail }: Trigger): string {
  switch (kind) {
    case 'webhook':
      return `a push (webhook of ${by})`
    case 'poll':
      return 'a new commit on the branch'
    case 'registration':
      return 'its registration'
    case 'drift':
      return `the repair of what was changed by hand${detail === undefined ? '' : `: ${detail.slice(0, MOST_SUBJECT)}`}`
    default:
      return by
  }
}

function errorOf({ code, message, hint }: Pick<WireError, 'code' | 'message' | 'hint'>): Message['error'] {
  return { code, message: message.slice(0, MOST_TEXT), hint: hint.slice(0, MOST_TEXT) }
}
