import type { EngineRequest } from '#exec/call.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import { awaitOperation, cancelOperation, type IncusReply, operationsOf } from '#programs/incus.ts'
import { listMembers } from '#programs/incus-cluster.ts'
import {
  instanceOf,
  isUntold,
  listInstances,
  patchConfig,
  type SystemInstance,
} from '#programs/incus-instances.ts'
import { SYSTEM_KEY, type Texts } from '#programs/incus-system.ts'
import { handsForCleanUp } from './clean-up.ts'
import type { Hands, SystemsFacts } from './command.ts'
import {
  NO_SYSTEMS_HERE,
  SYSTEM_FAILED,
  SYSTEM_GONE,
  SYSTEM_OUT_OF_REACH,
  SYSTEM_POOL_FULL,
} from './system-errors.ts'

const CLEAN_UP_MS = 30_000
/** So long it is waited for the end of what the daemon itself does with a container after an operation has ended. */
const PATIENCE_MS = 30_000
/** The same of what copies whole disks. */
const BUSY_MS = 300_000
const LOOK_AGAIN_MS = 200
const MOST_CHARACTERS = 1_000

/** The Incus daemon of this host, or NO_SYSTEMS_HERE. */
export function systemsOf({ host }: Hands): SystemsFacts {
  if (!host.systems) {
    throw NO_SYSTEMS_HERE(host.name)
  }
  return host.systems
}

interface Doing {
  readonly what: string
  readonly name: string
}

/** Waits for the end of what a reply began; gives what it left. An operation of a cancelled command is ended. */
export async function ended(
  hands: Hands,
  doing: Doing,
  reply: IncusReply | Promise<IncusReply>,
): Promise<unknown> {
  const begun = await reply
  if (begun.kind === 'done') {
    return begun.metadata
  }
  if (begun.kind === 'refused') {
    throw failure(hands, doing, begun.reason)
  }
  return await endOf(hands, doing, begun.operation)
}

/** The same, asked again while Incus does something else with the container: takes a scheduled snapshot, packs a backup. */
export async function endedWhenFree(
  hands: Hands,
  doing: Doing,
  call: () => EngineRequest<IncusReply>,
): Promise<unknown> {
  const deadline = hands.clock.monotonic() + BUSY_MS
  for (;;) {
    try {
      return await ended(hands, doing, hands.perform(call()))
    } catch (error) {
      const reason = String(asFairleadError(error).facts?.reason ?? '')
      if (!/ is busy /.test(reason) || hands.clock.monotonic() >= deadline) {
        throw error
      }
      await hands.clock.sleep(LOOK_AGAIN_MS, hands.signal)
    }
  }
}

/** Waits for the end of an operation; gives what it left. */
export async function endOf(hands: Hands, doing: Doing, operation: string): Promise<unknown> {
  const { socket } = systemsOf(hands)
  try {
    for (;;) {
      const end = await hands.perform(awaitOperation(socket, operation))
      if (end?.kind === 'refused') {
        throw failure(hands, doing, end.reason)
      }
      if (end?.kind === 'done') {
        return end.metadata
      }
      // Of an operation on another member of a cluster the daemon answers at once that it goes on.
      await hands.clock.sleep(LOOK_AGAIN_MS, hands.signal)
    }
  } catch (error) {
    if (hands.signal.aborted) {
      const calm = handsForCleanUp(hands, CLEAN_UP_MS)
      await calm.perform(cancelOperation(socket, operation)).catch(() => undefined)
    }
    throw error
  }
}

function failure(hands: Hands, { what, name }: Doing, said: string): FairleadError {
  // Of a full pool it has a line for every file.
  const reason = said.length > MOST_CHARACTERS ? `${said.slice(0, MOST_CHARACTERS)} …` : said
  return /no space left|quota exceeded|not enough space|disk full/i.test(reason)
    ? SYSTEM_POOL_FULL(systemsOf(hands).pool, name, reason)
    : SYSTEM_FAILED(what, name, reason).with({ facts: { reason } })
}

/**
 * The container of a system; undefined when there is none. One on a member of a cluster that does not answer may be it:
 * SYSTEM_OUT_OF_REACH, unless none of those has its name.
 */
export async function lookFor(
  hands: Hands,
  { id, name }: { readonly id: string; readonly name?: string },
): Promise<SystemInstance | undefined> {
  const { socket } = systemsOf(hands)
  const deadline = hands.clock.monotonic() + PATIENCE_MS
  for (;;) {
    const all = await hands.perform(listInstances(socket))
    const found = instanceOf(all, id)
    const untold = found ? [] : all.filter(isUntold)
    const lost = untold.length > 0 ? await lostOf(hands, untold) : []
    const [maybe] = lost.filter(each => name === undefined || each.name === name)
    if (maybe) {
      throw SYSTEM_OUT_OF_REACH(maybe.name, maybe.location ?? '')
    }
    const unclear = untold.find(each => !lost.includes(each))
    if (!unclear) {
      return found
    }
    if (hands.clock.monotonic() >= deadline) {
      throw SYSTEM_FAILED('looked at', unclear.name, 'Incus does not say how it is')
    }
    await hands.clock.sleep(LOOK_AGAIN_MS, hands.signal)
  }
}

/** Those on members that do not answer. */
async function lostOf(hands: Hands, untold: readonly SystemInstance[]): Promise<SystemInstance[]> {
  if (untold.every(({ location }) => location === undefined)) {
    return []
  }
  const members = await hands.perform(listMembers(systemsOf(hands).socket))
  const offline = members.filter(({ status }) => status === 'offline').map(each => each.name)
  return untold.filter(({ location }) => location !== undefined && offline.includes(location))
}

/** The same, or SYSTEM_GONE. */
export async function mustFind(
  hands: Hands,
  { id, name }: { readonly id: string; readonly name: string },
): Promise<SystemInstance> {
  const found = await lookFor(hands, { id, name })
  if (found?.config[SYSTEM_KEY.whole] !== 'true') {
    throw SYSTEM_GONE(name)
  }
  return found
}

/** What an earlier worker began goes on in the daemon: resolves when nothing is under way with a container. */
export async function untilIdle(hands: Hands, name: string): Promise<void> {
  const { socket } = systemsOf(hands)
  while ((await hands.perform(operationsOf(socket, name))).length > 0) {
    await hands.clock.sleep(LOOK_AGAIN_MS, hands.signal)
  }
}

/** Writes down in the container's own configuration what was done. */
export async function note(hands: Hands, name: string, texts: Texts): Promise<void> {
  const { socket } = systemsOf(hands)
  const deadline = hands.clock.monotonic() + PATIENCE_MS
  for (;;) {
    const reply = await hands.perform(patchConfig(socket, name, texts))
    const isBusy = reply.kind === 'refused' && / is busy /.test(reply.reason)
    if (!isBusy || hands.clock.monotonic() >= deadline) {
      await ended(hands, { what: 'marked', name }, reply)
      return
    }
    await hands.clock.sleep(LOOK_AGAIN_MS, hands.signal)
  }
}

export function systemLock({ id }: { readonly id: string }): string {
  return `system:${id}`
}
