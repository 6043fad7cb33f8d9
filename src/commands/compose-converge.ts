import type { FairleadError } from '#lib/errors.ts'
import { type ComposeProject, composeStart } from '#programs/compose.ts'
import { failureIn } from '#programs/compose-failure.ts'
import { type ContainerFacts, startContainer } from '#programs/docker-containers.ts'
import type { Hands } from './command.ts'
import { type Asked, askRouted } from './compose-answers.ts'
import { COMPOSE_SERVICE_EXITED, COMPOSE_SERVICE_UNHEALTHY } from './compose-errors.ts'
import { explainFailure } from './compose-explain.ts'
import {
  dependenciesMet,
  type ExpectedService,
  type Judged,
  judgeService,
  mustStart,
} from './compose-judge.ts'
import { serviceOf } from './compose-observe.ts'
import { lastLines } from './container-lines.ts'

const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 400

export interface Converging extends Asked {
  readonly project: string
  /** All that counts of the project now; not the containers that are replaced and still serve. */
  readonly containers: () => Promise<readonly ContainerFacts[]>
  /** For services with hooks, which only Compose runs. */
  readonly start: ComposeProject
  readonly services: readonly ExpectedService[]
  /** Containers of before: id -> when they started. What is still the same was not touched. */
  readonly before: ReadonlyMap<string, string>
  /** How long a service that cannot be asked anything must run before it counts. */
  readonly settleMs: number
  /** Asked before anything is started: what ran a moment ago may have ended since. */
  readonly admit?: (() => Promise<void>) | undefined
}

/**
 * Starts what Compose has created, each service as soon as those it depends on are as far as it wants, and waits until
 * every one is healthy, runs steadily, or has done its one job. Throws as soon as one cannot be.
 */
export async function converge(hands: Hands, converging: Converging): Promise<readonly ContainerFacts[]> {
  const started = hands.clock.monotonic()
  const steadySince = new Map<string, number>()
  const byName = new Map(converging.services.map(each => [each.name, each]))
  let containers = await converging.containers()
  const idle = new Set(
    containers.filter(each => mustStart(byName.get(serviceOf(each)), each)).map(each => each.id),
  )
  let pauseMs = FIRST_PAUSE_MS
  if (idle.size > 0) {
    await converging.admit?.()
  }
  for (;;) {
    while (await startNext(hands, converging, { containers, idle })) {
      containers = await converging.containers()
    }
    const now = hands.clock.monotonic()
    const isSteady = (facts: ContainerFacts) => steadyAt(facts, { converging, steadySince, now })
    const answers = await askRouted(hands, containers.filter(isTouched(converging)), converging)
    const sight = { containers, idle, isSteady, answers }
    const verdicts = converging.services.flatMap(each => judgeService(each, sight))
    const waiting = await refuseBad(hands, verdicts)
    if (!waiting) {
      return containers
    }
    const leftMs = started + converging.withinMs - now
    if (leftMs <= 0) {
      throw await explain(hands, tooLate(waiting, converging.withinMs))
    }
    await hands.clock.sleep(Math.min(pauseMs, leftMs), hands.signal)
    pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)
    containers = await converging.containers()
  }
}

interface Scene {
  readonly containers: readonly ContainerFacts[]
  /** Containers that are yet to be started; what is started is taken out. */
  readonly idle: Set<string>
}

/** Starts all that waits for nothing any more, at once. False when there was nothing. */
async function startNext(
  hands: Hands,
  converging: Converging,
  { containers, idle }: Scene,
): Promise<boolean> {
  const ready = containers.filter(each => {
    const service = converging.services.find(({ name }) => name === serviceOf(each))
    return idle.has(each.id) && service !== undefined && dependenciesMet(service, containers, idle)
  })
  for (const { id } of ready) {
    idle.delete(id)
  }
  const hooked = converging.services.filter(
    each => each.hasStartHooks && ready.some(container => serviceOf(container) === each.name),
  )
  for (const { name } of hooked) {
    const failure = await hands.perform(composeStart(converging.start, name))
    if (failure) {
      throw await explainFailure(hands, converging.project, failure)
    }
  }
  const refusals = await Promise.all(
    ready.map(async ({ id, name }) => ({
      name,
      refusal: await hands.perform(startContainer(hands.host.dockerSocket, id)),
    })),
  )
  for (const { name, refusal } of refusals) {
    if (refusal) {
      hands.say(`${name} could not be started: ${refusal.refused}`, 'stderr')
      throw await explainFailure(hands, converging.project, failureIn(refusal.refused))
    }
    hands.say(`${name} started`, 'info')
  }
  return ready.length > 0
}

interface Watch {
  readonly converging: Converging
  /** Container, its start and its restarts -> since when it was seen so. */
  readonly steadySince: Map<string, number>
  readonly now: number
}

function steadyAt(facts: ContainerFacts, { converging, steadySince, now }: Watch): boolean {
  if (!isTouched(converging)(facts)) {
    return true
  }
  const life = `${facts.id} ${facts.startedAt} ${facts.restarts}`
  const since = steadySince.get(life) ?? now
  steadySince.set(life, since)
  return now - since >= converging.settleMs
}

function isTouched({ before }: Converging): (facts: ContainerFacts) => boolean {
  return ({ id, startedAt }) => before.get(id) !== startedAt
}

/** The first that is not ready yet; undefined when all are. */
async function refuseBad(hands: Hands, verdicts: readonly Judged[]): Promise<Judged | undefined> {
  const bad = verdicts.find(({ verdict }) => verdict.kind === 'exited' || verdict.kind === 'unhealthy')
  if (bad) {
    throw await explain(hands, bad)
  }
  return verdicts.find(({ verdict }) => verdict.kind === 'waiting')
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
