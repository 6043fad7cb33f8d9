import type { FairleadError } from '#lib/errors.ts'
import { isOn, type Shape, scalarText, shapeOf } from '#policy/shape.ts'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import type { Hands } from './command.ts'
import { COMPOSE_SERVICE_EXITED, COMPOSE_SERVICE_UNHEALTHY } from './compose-errors.ts'
import { OWN_KEY, type Render } from './compose-model.ts'
import { projectContainers, serviceOf } from './compose-observe.ts'
import { lastLines } from './container-lines.ts'

const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 400
/** Starting again while a database comes up is usual; the engine doubles its pause each time, so this is about 3 s. */
const RESTARTS_TOLERATED = 5

export interface Settling {
  readonly project: string
  readonly render: Render
  /** Containers that ran before and were not touched since: id -> when they started. */
  readonly untouched: ReadonlyMap<string, string>
  /** How long all services together may take. */
  readonly withinMs: number
  /** How long a service without a health check must run before it counts. */
  readonly settleMs: number
}

/** What is seen of one container; `completed`: a one-shot service that ended well. */
type Verdict =
  | { readonly kind: 'ready' }
  | { readonly kind: 'waiting'; readonly missing: string }
  | { readonly kind: 'exited'; readonly why: string }
  | { readonly kind: 'unhealthy'; readonly why: string }

/** Waits until every service is healthy, runs steadily, or has done its one job; throws as soon as one cannot be. */
export async function waitUntilSettled(hands: Hands, settling: Settling): Promise<readonly ContainerFacts[]> {
  const started = hands.clock.monotonic()
  const steadySince = new Map<string, number>()
  let pauseMs = FIRST_PAUSE_MS
  for (;;) {
    hands.signal.throwIfAborted()
    const containers = await projectContainers(hands, settling.project)
    const now = hands.clock.monotonic()
    const verdicts = expectedServices(settling.render).flatMap(service =>
      judgeService(service, containers, facts => steadyMs(facts, { settling, steadySince, now })),
    )
    const bad = verdicts.find(({ verdict }) => verdict.kind === 'exited' || verdict.kind === 'unhealthy')
    if (bad) {
      throw await explain(hands, bad)
    }
    const waiting = verdicts.find(({ verdict }) => verdict.kind === 'waiting')
    if (!waiting) {
      return containers
    }
    const leftMs = started + settling.withinMs - now
    if (leftMs <= 0) {
      throw await explain(hands, tooLate(waiting, settling.withinMs))
    }
    await hands.clock.sleep(Math.min(pauseMs, leftMs), hands.signal)
    pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)
  }
}

interface ExpectedService {
  readonly name: string
  readonly replicas: number
  /** May end with 0 and then has done its work. */
  readonly mayComplete: boolean
}

interface Judged {
  readonly service: string
  readonly container: ContainerFacts | undefined
  readonly verdict: Verdict
}

function expectedServices(render: Render): readonly ExpectedService[] {
  const routed = new Set(render[OWN_KEY].routes.map(route => route.service))
  return Object.entries(shapeOf(render.services)).map(([name, value]) => {
    const service = shapeOf(value)
    const replicas = shapeOf(service.deploy).replicas ?? service.scale ?? 1
    return { name, replicas: Number(replicas), mayComplete: !routed.has(name) && !restartsAlways(service) }
  })
}

function restartsAlways(service: Shape): boolean {
  const policy =
    scalarText(service.restart) ??
    scalarText(shapeOf(shapeOf(service.deploy).restart_policy).condition) ??
    'no'
  return isOn(policy) && !policy.startsWith('on-failure') && policy !== 'none'
}

function judgeService(
  service: ExpectedService,
  containers: readonly ContainerFacts[],
  steady: (facts: ContainerFacts) => boolean,
): Judged[] {
  const own = containers.filter(each => serviceOf(each) === service.name)
  if (own.length < service.replicas) {
    return [
      {
        service: service.name,
        container: undefined,
        verdict: { kind: 'waiting', missing: 'its container is missing' },
      },
    ]
  }
  return own.map(container => ({
    service: service.name,
    container,
    verdict: judge(container, service, steady),
  }))
}

/** Pure, but for `steady`. */
function judge(
  facts: ContainerFacts,
  service: ExpectedService,
  steady: (facts: ContainerFacts) => boolean,
): Verdict {
  if (facts.state === 'exited' || facts.state === 'dead') {
    return facts.exitCode === 0 && facts.state === 'exited' && service.mayComplete
      ? { kind: 'ready' }
      : { kind: 'exited', why: howItEnded(facts) }
  }
  if (facts.restarts > RESTARTS_TOLERATED) {
    return { kind: 'exited', why: `${howItEnded(facts)}, again and again` }
  }
  if (facts.state !== 'running') {
    return { kind: 'waiting', missing: `it is ${facts.state}` }
  }
  if (facts.health === 'unhealthy') {
    return { kind: 'unhealthy', why: facts.healthLog.at(-1) ?? 'its health check fails' }
  }
  if (facts.health === 'starting') {
    return { kind: 'waiting', missing: facts.healthLog.at(-1) ?? 'its health check has not passed yet' }
  }
  return facts.health === 'healthy' || steady(facts)
    ? { kind: 'ready' }
    : { kind: 'waiting', missing: 'it does not keep running' }
}

interface Watch {
  readonly settling: Settling
  /** Container, its start and its restarts -> since when it was seen so. */
  readonly steadySince: Map<string, number>
  readonly now: number
}

function steadyMs(facts: ContainerFacts, { settling, steadySince, now }: Watch): boolean {
  if (settling.untouched.get(facts.id) === facts.startedAt) {
    return true
  }
  const life = `${facts.id} ${facts.startedAt} ${facts.restarts}`
  const since = steadySince.get(life) ?? now
  steadySince.set(life, since)
  return now - since >= settling.settleMs
}

function tooLate({ service, container, verdict }: Judged, withinMs: number): Judged {
  const missing = verdict.kind === 'waiting' ? verdict.missing : ''
  const why = `not within ${Math.round(withinMs / 1000)} s (${missing})`
  return { service, container, verdict: { kind: 'unhealthy', why } }
}

async function explain(hands: Hands, { service, container, verdict }: Judged): Promise<FairleadError> {
  const log = container ? await lastLines(hands, container.id) : []
  const why = 'why' in verdict ? verdict.why : ''
  const error =
    verdict.kind === 'exited' ? COMPOSE_SERVICE_EXITED(service, why) : COMPOSE_SERVICE_UNHEALTHY(service, why)
  return error.with({
    facts: {
      service,
      log,
      ...(container ? { container: container.name, exitCode: container.exitCode } : {}),
    },
  })
}

export function howItEnded(facts: Pick<ContainerFacts, 'outOfMemory' | 'exitCode' | 'error'>): string {
  if (facts.outOfMemory) {
    return 'the kernel ended it for using more memory than it may'
  }
  return facts.error === '' ? `exit code ${facts.exitCode}` : `exit code ${facts.exitCode} (${facts.error})`
}
