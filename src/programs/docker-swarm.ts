import type { EngineAnswer, EngineRequest } from '#exec/call.ts'
import type { Refused } from './docker-containers.ts'
import { dockerEngine, engineMessage, filters, QUICK_MS, SLOW_MS } from './docker-engine.ts'
import { authHeader, type RegistryCredential } from './docker-images.ts'
import {
  AGAIN_LABEL,
  readMembership,
  readNode,
  readService,
  readTask,
  readThing,
  type SwarmMembership,
  type SwarmNode,
  type SwarmService,
  type SwarmTask,
  type SwarmThing,
} from './swarm-facts.ts'
import { SWARM_STARTING } from './swarm-starting.ts'

/** Says which stack a service, secret, config or network belongs to; the docker CLI sets the same. */
export const NAMESPACE_LABEL = 'com.docker.stack.namespace'

export type SwarmKind = 'secrets' | 'configs' | 'networks'

/** Whether the engine is in a swarm, and whether it may be told what to run there. */
export function swarmMembership(socket: string): EngineRequest<SwarmMembership> {
  return { ...get(socket, '/info'), read: answer => readMembership(answer.json) }
}

export function listNodes(socket: string): EngineRequest<readonly SwarmNode[]> {
  return { ...get(socket, '/nodes'), read: answer => listed(answer).map(readNode) }
}

/** The services of one stack, or of all. None where the engine manages no swarm. */
export function listServices(socket: string, stack?: string): EngineRequest<readonly SwarmService[]> {
  return {
    ...get(socket, '/services'),
    ...(stack === undefined ? {} : { query: { filters: ofStack(stack) } }),
    read: answer => listed(answer).map(readService),
  }
}

/** Tasks of a stack, old ones too, and those of services that are gone already. */
export function listTasks(socket: string, stack: string): EngineRequest<readonly SwarmTask[]> {
  return {
    ...get(socket, '/tasks'),
    query: { filters: ofStack(stack) },
    read: answer => listed(answer).map(readTask),
  }
}

/**
 * Has the swarm begin the update of a service anew: it waits without end for a task of a node that went down in the
 * middle. Only what has not been made yet is made; false when somebody else was faster.
 */
export function updateAgain(socket: string, service: SwarmService, mark: string): EngineRequest<boolean> {
  return {
    ...change(socket, 'POST', `/services/${encodeURIComponent(service.id)}/update`),
    query: { version: service.version, registryAuthFrom: 'spec' },
    body: { ...service.whole, Labels: { ...service.labels, [AGAIN_LABEL]: mark } },
    read: answer => answer.status === 200,
  }
}

/** Gives a service the account that its nodes pull with from now on. Its spec stays, so nothing is made anew; false when somebody else was faster. */
export function giveCredential(
  socket: string,
  service: SwarmService,
  credential: RegistryCredential,
): EngineRequest<boolean> {
  return {
    ...change(socket, 'POST', `/services/${encodeURIComponent(service.id)}/update`),
    headers: { 'x-registry-auth': authHeader(credential) },
    query: { version: service.version },
    body: service.whole,
    read: answer => answer.status === 200,
  }
}

export interface TaskLogWish {
  readonly task: string
  readonly tail: number
  readonly onLine: (text: string, stream: 'stdout' | 'stderr') => void
}

/** The last lines of a task, whichever node it ran on. */
export function taskLog(socket: string, { task, tail, onLine }: TaskLogWish): EngineRequest<void> {
  return {
    ...get(socket, `/tasks/${encodeURIComponent(task)}/logs`),
    ok: [200],
    query: { stdout: true, stderr: true, tail },
    stream: {
      format: 'docker-log',
      onEvent: event => event.kind === 'line' && onLine(event.text, event.stream),
    },
    read: () => undefined,
  }
}

export interface ServiceLogWish {
  readonly service: string
  /** Of each task; undefined: all. */
  readonly tail: number | undefined
  readonly follow: boolean
  readonly timeoutMs: number
  readonly onLine: (text: string, stream: 'stdout' | 'stderr') => void
}

/** What all tasks of a service print, whichever nodes they run on. */
export function serviceLog(socket: string, wish: ServiceLogWish): EngineRequest<void> {
  const { service, tail, follow, timeoutMs, onLine } = wish
  return {
    ...get(socket, `/services/${encodeURIComponent(service)}/logs`),
    ok: [200],
    query: { stdout: true, stderr: true, tail, follow },
    timeoutMs,
    stream: {
      format: 'docker-log',
      onEvent: event => event.kind === 'line' && onLine(event.text, event.stream),
    },
    read: () => undefined,
  }
}

/** Secrets, configs or networks of one stack. */
export function listThings(
  socket: string,
  kind: SwarmKind,
  stack: string,
): EngineRequest<readonly SwarmThing[]> {
  return {
    ...get(socket, `/${kind}`),
    query: { filters: ofStack(stack) },
    read: answer => listed(answer).map(readThing),
  }
}

export interface NewThing {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly content: string
}

/** Undefined when it was made, or is there already: the content is in its name. */
export function createThing(
  socket: string,
  kind: 'secrets' | 'configs',
  thing: NewThing,
): EngineRequest<Refused | undefined> {
  return {
    ...change(socket, 'POST', `/${kind}/create`),
    body: {
      Name: thing.name,
      Labels: thing.labels,
      Data: Buffer.from(thing.content).toString('base64'),
    },
    read: answer => (answer.status === 409 ? undefined : refusedUnless(answer, 201)),
  }
}

/** Undefined when it is gone; a refusal while a task still uses it. */
export function removeThing(
  socket: string,
  kind: SwarmKind | 'services',
  id: string,
): EngineRequest<Refused | undefined> {
  return {
    ...change(socket, 'DELETE', `/${kind}/${encodeURIComponent(id)}`),
    read: answer => (answer.status === 404 ? undefined : refusedUnless(answer, 200, 204)),
  }
}

function refusedUnless(answer: EngineAnswer, ...good: readonly number[]): Refused | undefined {
  return good.includes(answer.status) ? undefined : { refused: engineMessage(answer), status: answer.status }
}

function ofStack(stack: string): string {
  return filters({ label: [`${NAMESPACE_LABEL}=${stack}`] })
}

/** Said by an engine that takes no part in a swarm, or manages none. */
const MANAGES_NONE = /docker swarm init|Worker nodes can't/

/** A swarm that is starting, or has no leader yet, tells of nothing: that is not the same as that there is nothing. */
function listed(answer: EngineAnswer): readonly unknown[] {
  const said = answer.status === 503 ? engineMessage(answer) : ''
  if (said !== '' && !MANAGES_NONE.test(said)) {
    throw SWARM_STARTING(said)
  }
  return Array.isArray(answer.json) ? answer.json : []
}

function get(socket: string, path: string) {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path,
    timeoutMs: QUICK_MS,
    ok: [200, 503],
  } as const
}

function change(socket: string, method: 'POST' | 'DELETE', path: string) {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method,
    path,
    timeoutMs: SLOW_MS,
    ok: 'any',
  } as const
}
