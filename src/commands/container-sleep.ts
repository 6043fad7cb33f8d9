import { asFairleadError } from '#lib/errors.ts'
import { openRequests } from '#programs/caddy.ts'
import {
  type ContainerFacts,
  inspectContainer,
  listContainers,
  stopContainer,
} from '#programs/docker-containers.ts'
import { type AskedServer, isAnyKernelBusy, notebookStatus } from '#programs/notebook-server.ts'
import { probeContainer } from '#programs/probe.ts'
import type { Hands } from './command.ts'
import { LABEL, SLEEP_LABEL } from './container-data.ts'
import { refuseForbiddenContainer } from './container-policy.ts'
import { containersOf } from './container-siblings.ts'
import { readToken, startWithToken } from './container-token.ts'

/** What every notebook image listens on. */
export const NOTEBOOK_PORT = 8888

const PROBE_MS = 1_000
/** So long a server may take until it answers for the first time. */
const START_MS = 60_000
const ASK_MS = 5_000

type Ended = Pick<ContainerFacts, 'state' | 'labels' | 'exitCode' | 'outOfMemory'>

/**
 * How a program ends that did nothing wrong: by itself, by a signal to stop or to end, or (255) with an engine that was
 * not there any more to see it.
 */
const ENDED_FROM_OUTSIDE = [0, 130, 137, 143, 255]

/**
 * Whether it was stopped because nobody worked with it, or ended with its machine, and a visitor wakes it: then all is as
 * it should be.
 */
export function isAsleep(hands: Hands, { state, labels, exitCode, outOfMemory }: Ended): boolean {
  const { [LABEL.app]: app = '', [LABEL.deployment]: deployment, [SLEEP_LABEL.idle]: idle } = labels
  const { gate, switchboard } = hands.host
  if (state !== 'exited' || deployment === undefined || !gate) {
    return false
  }
  const isServing = idle !== undefined && switchboard.current(app)?.deployment === deployment
  const isWell = !outOfMemory && ENDED_FROM_OUTSIDE.includes(exitCode)
  return gate.sleeps.of(app) === deployment || (isServing && isWell)
}

/** Whether a visitor wakes it when it does not run, and nobody else does. */
export function maySleep({ labels }: Pick<ContainerFacts, 'labels'>): boolean {
  return labels[SLEEP_LABEL.idle] !== undefined
}

/** The same of the container that serves an app. */
export async function sleeps(hands: Hands, app: string): Promise<boolean> {
  return hands.host.gate !== undefined && (await containersOf(hands, app)).some(each => isAsleep(hands, each))
}

export type Awake =
  | 'awake'
  /** It was started and does not answer yet. */
  | 'waking'
  /** There is nothing that could be woken. */
  | 'gone'

export interface WakeWish {
  /** Somebody looks at it, so it may be started. */
  readonly isVisit: boolean
  /** Called when it was: whoever asks again and again learns that it ends again and again. */
  readonly whenStarted?: () => void
}

/**
 * Whether the container that serves an app answers; for a visitor one that does not run is started, with a new token. It
 * may have been put to sleep, or have ended with the engine, which starts no container of this kind by itself.
 */
export async function wake(
  hands: Hands,
  app: string,
  { isVisit, whenStarted = () => {} }: WakeWish,
): Promise<Awake> {
  const current = hands.host.switchboard.current(app)
  if (current?.at) {
    // On another engine nothing is put to sleep, and from here nothing is woken.
    return 'awake'
  }
  const found = (await containersOf(hands, app)).find(
    each => each.labels[LABEL.deployment] === current?.deployment,
  )
  if (!current || !found) {
    return 'gone'
  }
  const isStopped = found.state !== 'running'
  if (isStopped && !isVisit) {
    return 'gone'
  }
  if (isStopped) {
    whenStarted()
    try {
      await refuseForbiddenContainer(hands, found)
    } catch (error) {
      hands.say(`${found.name} cannot be woken: ${asFairleadError(error).message}`, 'stderr')
      return 'gone'
    }
    const refusal = await startWithToken(hands, found.id, { app, deployment: current.deployment })
    if (refusal) {
      hands.say(`${found.name} cannot be woken: ${refusal.refused}`, 'stderr')
      return 'gone'
    }
    hands.say(`${found.name} was woken; it had ended with exit code ${found.exitCode}`, 'info')
  }
  hands.host.gate?.sleeps.end(app)
  // One that has run for a while and is slow now is no less awake: its own answer tells.
  const isNew = isStopped || hands.clock.now() - Date.parse(found.startedAt) < START_MS
  return !isNew || (await isAnswering(hands, { ip: current.ip, base: baseOf(found) })) ? 'awake' : 'waking'
}

/** The path that a notebook server is asked below. */
function baseOf({ labels }: Pick<ContainerFacts, 'labels'>): string {
  return labels[SLEEP_LABEL.base] ?? '/'
}

async function isAnswering(hands: Hands, { ip, base }: Pick<AskedServer, 'ip' | 'base'>): Promise<boolean> {
  const place = { ip, port: NOTEBOOK_PORT, path: `${base}api`, timeoutMs: PROBE_MS }
  try {
    return (await hands.perform(probeContainer(place))).status < 500
  } catch {
    hands.signal.throwIfAborted()
    return false
  }
}

/** Stops the containers that nobody works with, and gives the names of their apps. What cannot be asked is left alone. */
export async function putToSleep(hands: Hands): Promise<readonly string[]> {
  const { dockerSocket, gate } = hands.host
  const asleep: string[] = []
  for (const id of await hands.perform(listContainers(dockerSocket, [SLEEP_LABEL.idle]))) {
    const facts = await hands.perform(inspectContainer(dockerSocket, id))
    const { [LABEL.app]: app = '', [LABEL.deployment]: deployment = '' } = facts?.labels ?? {}
    if (gate && facts?.state === 'running' && (await mayStop(hands, facts, { app, deployment }))) {
      // First: whoever sees it stopped must know why.
      gate.sleeps.begin(app, deployment)
      await hands.perform(stopContainer(dockerSocket, id))
      // A visitor who came meanwhile was let through to what was just stopping; or has woken it since.
      const after = await hands.perform(inspectContainer(dockerSocket, id))
      if (after?.state === 'exited' && after.startedAt === facts.startedAt) {
        gate.sleeps.begin(app, deployment)
      }
      hands.say(`${facts.name} sleeps, because nobody works with it`, 'info')
      asleep.push(app)
    }
  }
  return asleep
}

interface Owner {
  readonly app: string
  readonly deployment: string
}

async function mayStop(hands: Hands, facts: ContainerFacts, owner: Owner): Promise<boolean> {
  const { switchboard, gate } = hands.host
  const current = switchboard.current(owner.app)
  if (current?.deployment !== owner.deployment) {
    // A deployment is at work, or left it: it is not for here.
    return false
  }
  const now = hands.clock.now()
  const startedAt = Date.parse(facts.startedAt)
  const mostMs = secondsIn(facts, SLEEP_LABEL.most) * 1_000
  if (mostMs > 0 && now - startedAt > mostMs) {
    return true
  }
  const idleMs = secondsIn(facts, SLEEP_LABEL.idle) * 1_000
  const visitedAt = gate?.visitedAt(owner.app) ?? 0
  return idleMs > 0 && now - Math.max(startedAt, visitedAt) > idleMs
    ? await isIdle(hands, facts, { ...owner, ip: current.ip, since: now - idleMs })
    : false
}

/** Whether the proxy holds a request or a socket to it: all that is seen of a server that cannot say. */
export async function isOpen(hands: Hands, ip: string): Promise<boolean> {
  const open = hands.host.proxy && (await hands.perform(openRequests(hands.host.proxy.adminOrigin)))
  return open === undefined || (open.get(ip) ?? 0) > 0
}

/** What a label says, 0 without it. */
export function secondsIn({ labels }: ContainerFacts, label: string): number {
  return Number(labels[label] ?? 0) || 0
}

/** Nobody is connected, nothing computes, and nothing was done since then. */
async function isIdle(
  hands: Hands,
  facts: ContainerFacts,
  owner: Owner & { readonly ip: string; readonly since: number },
): Promise<boolean> {
  try {
    const server = await askedServer(hands, facts, owner)
    const status = await hands.perform(notebookStatus(server))
    const isUsed = status
      ? status.connections > 0 || status.lastAt >= owner.since
      : await isOpen(hands, owner.ip)
    return !isUsed && !(await hands.perform(isAnyKernelBusy(server)))
  } catch (error) {
    hands.signal.throwIfAborted()
    const why = asFairleadError(error).message
    hands.say(`${owner.app} does not say whether anybody works with it: ${why}`, 'stderr')
    return false
  }
}

/** How the server of a container is asked, with the token of its deployment. */
export async function askedServer(
  hands: Hands,
  facts: Pick<ContainerFacts, 'labels'>,
  { ip, ...owner }: Owner & { readonly ip: string },
): Promise<AskedServer> {
  const token = await readToken(hands, owner)
  return { ip, base: baseOf(facts), port: NOTEBOOK_PORT, token, timeoutMs: ASK_MS }
}
