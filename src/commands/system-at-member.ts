import type { Static, TObject } from 'typebox'
import { memberOperations } from '#programs/incus-cluster.ts'
import { type Command, defineCommand, type Hands } from './command.ts'
import { SYSTEM_MEMBER_BUSY } from './system-errors.ts'
import { lookFor, systemLock, systemsOf } from './system-incus.ts'

/** So long a change waits while the member of its system is evacuated or restored. */
const PATIENCE_MS = 240_000
const LOOK_AGAIN_MS = 500

interface Whose {
  readonly id: string
  readonly name?: string
}

interface Change<D extends TObject, R extends TObject>
  extends Omit<Command<D, R>, 'role' | 'engineFree' | 'lock'> {
  /** Members of the cluster that it is about beside the one where the system is; undefined: whichever there is. */
  readonly members?: (data: Static<D>) => readonly string[]
}

/**
 * A command that changes one system container: one at a time of each, and never while the member of the cluster that it
 * is on is being emptied or filled again.
 */
export function defineSystemChange<D extends TObject, R extends TObject>({
  members,
  run,
  ...command
}: Change<D, R>): Command<D, R> {
  return defineCommand({
    ...{ ...command, role: 'worker', engineFree: true },
    lock: data => systemLock(data as Whose),
    run: (hands, data) =>
      atMember(hands, { whose: data as Whose, more: members?.(data) ?? [], run: () => run(hands, data) }),
  } as Command<D, R>)
}

export function memberLock({ member }: { readonly member: string }): string {
  return `member:${member}`
}

interface Doing<T> {
  readonly whose: Whose
  readonly more: readonly string[]
  readonly run: () => Promise<T>
}

async function atMember<T>(hands: Hands, doing: Doing<T>): Promise<T> {
  for (;;) {
    const location = await locationOf(hands, doing.whose)
    const here = location === undefined ? [] : [location]
    const members = [...new Set([...here, ...doing.more])].sort()
    const done = await besides(hands, members, async () => {
      // While it was waited for, an evacuation may have taken it elsewhere.
      if ((await locationOf(hands, doing.whose)) !== location) {
        return undefined
      }
      return { result: await doing.run() }
    })
    if (done) {
      return done.result
    }
  }
}

async function locationOf(hands: Hands, whose: Whose): Promise<string | undefined> {
  return (await lookFor(hands, whose))?.location
}

/** In the order of their names, so that no two wait for each other. */
async function besides<T>(
  hands: Hands,
  [member, ...rest]: readonly string[],
  run: () => Promise<T>,
): Promise<T> {
  if (member === undefined) {
    return await run()
  }
  const inner = async () => {
    await untilFree(hands, member)
    return await besides(hands, rest, run)
  }
  if (!hands.inTurn) {
    return await inner()
  }
  let hasBegun = false
  const signal = AbortSignal.any([hands.signal, AbortSignal.timeout(PATIENCE_MS)])
  const begin = () => {
    hasBegun = true
    return inner()
  }
  try {
    return await hands.inTurn(memberLock({ member }), { shares: true, signal, run: begin })
  } catch (error) {
    throw hasBegun || hands.signal.aborted ? error : SYSTEM_MEMBER_BUSY(member)
  }
}

/** What an earlier worker began, or somebody on the host, goes on in the daemon. */
async function untilFree(hands: Hands, member: string): Promise<void> {
  const { socket } = systemsOf(hands)
  const deadline = hands.clock.monotonic() + PATIENCE_MS
  while ((await hands.perform(memberOperations(socket, member))).length > 0) {
    if (hands.clock.monotonic() >= deadline) {
      throw SYSTEM_MEMBER_BUSY(member)
    }
    await hands.clock.sleep(LOOK_AGAIN_MS, hands.signal)
  }
}
