import { replicasOf } from '#policy/compose-network.ts'
import { scalarText, shapeOf } from '#policy/shape.ts'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import { OWN_KEY, type Render, restartsAlways } from './compose-model.ts'
import { serviceOf } from './compose-observe.ts'
import { howItEnded } from './container-end.ts'
import type { Look } from './container-health.ts'

/** Starting again while a database comes up is usual; the engine doubles its pause each time, so this is about 3 s. */
const RESTARTS_TOLERATED = 5

/** What a rendered configuration says of a service that matters while it starts. */
export interface ExpectedService {
  readonly name: string
  readonly replicas: number
  /** May end with 0 and then has done its work. */
  readonly mayComplete: boolean
  /** Service -> service_started, service_healthy, service_completed_successfully. */
  readonly dependsOn: Readonly<Record<string, string>>
  /** Runs programs in the container after its start, which only Compose itself does. */
  readonly hasStartHooks: boolean
}

/** What is seen of one container. */
export type Verdict =
  | { readonly kind: 'ready' }
  | { readonly kind: 'waiting'; readonly missing: string }
  | { readonly kind: 'exited'; readonly why: string }
  | { readonly kind: 'unhealthy'; readonly why: string }

export interface Judged {
  readonly service: string
  readonly container: ContainerFacts | undefined
  readonly verdict: Verdict
}

export function expectedServices(render: Render): readonly ExpectedService[] {
  const routed = new Set(render[OWN_KEY].routes.map(route => route.service))
  return Object.entries(shapeOf(render.services)).map(([name, value]) => {
    const service = shapeOf(value)
    const dependsOn = Object.entries(shapeOf(service.depends_on)).map(([other, how]) => [
      other,
      scalarText(shapeOf(how).condition) ?? 'service_started',
    ])
    return {
      name,
      replicas: replicasOf(service),
      mayComplete: !routed.has(name) && !restartsAlways(service),
      dependsOn: Object.fromEntries(dependsOn),
      hasStartHooks: service.post_start !== undefined,
    }
  })
}

/** A container that has to be started: not one that runs, is being started again, or has done its one job. */
export function mustStart(
  service: ExpectedService | undefined,
  { state, exitCode }: ContainerFacts,
): boolean {
  const completed = state === 'exited' && exitCode === 0 && service?.mayComplete === true
  return service !== undefined && !completed && (state === 'created' || state === 'exited')
}

/** Are the services that it waits for as far as it wants them? `idle`: containers that are yet to be started. */
export function dependenciesMet(
  service: ExpectedService,
  containers: readonly ContainerFacts[],
  idle: ReadonlySet<string>,
): boolean {
  return Object.entries(service.dependsOn).every(([other, condition]) =>
    containers
      .filter(each => serviceOf(each) === other)
      .every(each => !idle.has(each.id) && isAsFar(each, condition)),
  )
}

function isAsFar({ state, health, exitCode }: ContainerFacts, condition: string): boolean {
  if (condition === 'service_healthy') {
    return state === 'running' && (health === 'healthy' || health === 'none')
  }
  return condition !== 'service_completed_successfully' || (state === 'exited' && exitCode === 0)
}

export interface Sight {
  readonly containers: readonly ContainerFacts[]
  readonly idle: ReadonlySet<string>
  readonly isSteady: (facts: ContainerFacts) => boolean
  /** What a routed service answered, by container; nothing for one that was not asked. */
  readonly answers: ReadonlyMap<string, Look>
}

/** One verdict per container of a service, or one that says that containers are missing. */
export function judgeService(service: ExpectedService, sight: Sight): Judged[] {
  const { containers, idle } = sight
  const own = containers.filter(each => serviceOf(each) === service.name)
  if (own.length < service.replicas) {
    const verdict: Verdict = { kind: 'waiting', missing: 'its container is missing' }
    return [{ service: service.name, container: undefined, verdict }]
  }
  return own.map(container => ({
    service: service.name,
    container,
    verdict: idle.has(container.id)
      ? { kind: 'waiting', missing: `it waits for ${Object.keys(service.dependsOn).join(', ')}` }
      : judge(container, service, sight),
  }))
}

function judge(
  facts: ContainerFacts,
  service: ExpectedService,
  { isSteady, answers }: Omit<Sight, 'containers' | 'idle'>,
): Verdict {
  if (facts.state === 'exited' || facts.state === 'dead') {
    const completed = facts.exitCode === 0 && facts.state === 'exited' && service.mayComplete
    return completed ? { kind: 'ready' } : { kind: 'exited', why: howItEnded(facts) }
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
  const answer = answers.get(facts.id)
  if (answer) {
    return answer.ready ? { kind: 'ready' } : { kind: 'waiting', missing: answer.missing }
  }
  return facts.health === 'healthy' || isSteady(facts)
    ? { kind: 'ready' }
    : { kind: 'waiting', missing: 'it does not keep running' }
}
