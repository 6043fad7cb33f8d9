import { Type } from 'typebox'
import { MemberName } from '#contract/cluster.ts'
import { asFairleadError } from '#lib/errors.ts'
import { memberOperations, moveInstance, setMemberState } from '#programs/incus-cluster.ts'
import { isUntold, listInstances, type SystemInstance } from '#programs/incus-instances.ts'
import { SYSTEM_KEY } from '#programs/incus-system.ts'
import { defineCommand, type Hands } from './command.ts'
import { memberLock } from './system-at-member.ts'
import {
  SYSTEM_FAILED,
  SYSTEM_MEMBER_LAST,
  SYSTEM_MEMBER_NOT_READY,
  SYSTEM_MEMBER_UNFINISHED,
} from './system-errors.ts'
import { ended, endOf, note, systemsOf, untilIdle } from './system-incus.ts'
import { ORIGIN } from './system-member-look.ts'
import { memberNamed, reachedAt, refuseOneAddress } from './system-members.ts'
import { greetingAt, isUp, startInstance, stopInstance } from './system-state.ts'

const strict = { additionalProperties: false } as const
/** Everything on the disks of a machine goes over the network. */
const DAY_MS = 24 * 3_600_000
const SSH_WITHIN_MS = 120_000
/** So long Incus may be unable to say how a container is, because it is just started or stopped. */
const PATIENCE_MS = 30_000
const LOOK_AGAIN_MS = 200
const SSH = 'tcp:127.0.0.1:22'
/** Where Incus writes down whether a container is to run: also of one that it has stopped to move it. */
const POWER = 'volatile.last_state.power'

export const systemMemberState = defineCommand({
  name: 'system.member-state',
  summary:
    'Empties a member of the cluster for maintenance, or brings back what it had; all of it has to answer.',
  role: 'worker',
  engineFree: true,
  data: Type.Object(
    { member: MemberName, action: Type.Union([Type.Literal('evacuate'), Type.Literal('restore')]) },
    strict,
  ),
  result: Type.Object({ moved: Type.Array(Type.String()) }, strict),
  deadlineMs: DAY_MS,
  lock: memberLock,
  async run(hands, { member, action }) {
    const { socket } = systemsOf(hands)
    const doing = { what: doneBy(action), name: member }
    await refuse(hands, { member, action })
    // What an earlier worker began goes on in the daemon; how it ended shows below.
    for (const operation of await hands.perform(memberOperations(socket, member))) {
      await endOf(hands, doing, operation).catch(() => hands.signal.throwIfAborted())
    }
    const before = await settled(hands, { member, action })
    const strangers = before.filter(each => !isOurs(each)).map(({ name }) => name)
    if (strangers.length > 0) {
      hands.say(`not made by Fairlead, and moved as well: ${strangers.join(', ')}`, 'info')
    }
    const names = before.map(({ name }) => name)
    for (const { name } of before.filter(each => isOurs(each) && isUp(each))) {
      await note(hands, name, { [SYSTEM_KEY.carried]: 'true' })
    }
    await bringAbout(hands, { member, action }, before)
    const isMeant = (each: SystemInstance) => names.includes(each.name) || each.location === member
    const isPart = (each: SystemInstance) => isMeant(each) || hasArrived(each, { member, action })
    await startCarried(hands, (await listTold(hands, isMeant)).filter(isPart))
    const after = await listTold(hands, isMeant)
    const left = after.filter(each => isWhere(each, { member, action }))
    const moved = after.filter(each => names.includes(each.name) || hasArrived(each, { member, action }))
    const wasUp = (each: SystemInstance) =>
      wasCarried(each) ||
      each.config[POWER] === 'RUNNING' ||
      before.some(was => was.name === each.name && isUp(was))
    const isDown = (each: SystemInstance) => !isUp(each) && wasUp(each)
    const unfinished = [...left, ...moved.filter(each => !left.includes(each) && isDown(each))]
    if (unfinished.length > 0) {
      throw SYSTEM_MEMBER_UNFINISHED(doing.what, member, unfinished.map(({ name }) => name).join(', '))
    }
    const ours = moved.filter(isOurs)
    await proveAll(hands, ours)
    for (const { name } of ours.filter(wasCarried)) {
      await note(hands, name, { [SYSTEM_KEY.carried]: '' })
    }
    hands.say(`${doing.what} "${member}"`, 'info')
    return { moved: ours.map(({ name }) => name).sort() }
  },
})

interface Wish {
  readonly member: string
  readonly action: 'evacuate' | 'restore'
}

/**
 * Incus calls a member evacuated, or restored, before it has moved anything. A daemon that ends then does not go on, and
 * takes no member that counts as evacuated for another evacuation: with something left there it is restored first. Of a
 * member that counts as restored it brings nothing back any more: what is left elsewhere is brought one by one.
 */
async function bringAbout(
  hands: Hands,
  { member, action }: Wish,
  left: readonly SystemInstance[],
): Promise<void> {
  const { found } = await memberNamed(hands, member)
  const counts = (found.status === 'evacuated') === (action === 'evacuate')
  if (counts && left.length === 0) {
    return
  }
  if (counts && action === 'restore') {
    hands.say(`"${member}" was restored by half: the rest is brought back`, 'info')
    for (const each of left) {
      await bringHome(hands, each, member)
    }
    return
  }
  const { socket } = systemsOf(hands)
  if (counts) {
    hands.say(`"${member}" was evacuated by half and is restored first`, 'info')
    const back = { what: 'restored', name: member }
    await ended(hands, back, hands.perform(setMemberState(socket, member, 'restore')))
  }
  const doing = { what: doneBy(action), name: member }
  await ended(hands, doing, hands.perform(setMemberState(socket, member, action)))
}

/** What Incus does with each container of a member that is restored, also with one that is there already. */
async function bringHome(hands: Hands, found: SystemInstance, member: string): Promise<void> {
  const { socket } = systemsOf(hands)
  if (found.location !== member) {
    await stopInstance(hands, found)
    const doing = { what: `brought back to "${member}"`, name: found.name }
    await ended(hands, doing, hands.perform(moveInstance(socket, found.name, member)))
    hands.say(`"${found.name}" is back on "${member}"`, 'info')
    if (isUp(found)) {
      await startInstance(hands, { ...found, status: 'stopped' })
    }
  }
  await note(hands, found.name, { [ORIGIN]: '' })
}

function doneBy(action: Wish['action']): string {
  return action === 'evacuate' ? 'evacuated' : 'restored'
}

async function refuse(hands: Hands, { member, action }: Wish): Promise<void> {
  const { cluster, found } = await memberNamed(hands, member)
  if (found.status === 'offline') {
    throw SYSTEM_MEMBER_NOT_READY(member, found.status)
  }
  if (action === 'restore') {
    return
  }
  refuseOneAddress(hands)
  if (!cluster.members.some(({ name, status }) => name !== member && status === 'online')) {
    throw SYSTEM_MEMBER_LAST(member)
  }
}

/**
 * What is to be moved, whoever made it, once nothing is under way with it: away from the member what is there, back to it
 * what came from there. Nothing is begun while Incus cannot say how something there is: nobody would miss it afterwards.
 */
async function settled(hands: Hands, wish: Wish): Promise<SystemInstance[]> {
  for (const { name } of await affected(hands, wish)) {
    await untilIdle(hands, name)
  }
  return await affected(hands, wish)
}

async function affected(hands: Hands, wish: Wish): Promise<SystemInstance[]> {
  const all = await listTold(hands, ({ location }) => location === wish.member)
  return all.filter(each => isWhere(each, wish))
}

/** All containers, once Incus can say of those that are meant how they are. */
async function listTold(
  hands: Hands,
  isMeant: (each: SystemInstance) => boolean,
): Promise<readonly SystemInstance[]> {
  const deadline = hands.clock.monotonic() + PATIENCE_MS
  for (;;) {
    const all = await hands.perform(listInstances(systemsOf(hands).socket))
    const unclear = all.find(each => isUntold(each) && isMeant(each))
    if (!unclear) {
      return all
    }
    if (hands.clock.monotonic() >= deadline) {
      throw SYSTEM_FAILED('looked at', unclear.name, 'Incus does not say how it is')
    }
    await hands.clock.sleep(LOOK_AGAIN_MS, hands.signal)
  }
}

function isWhere({ location, config }: SystemInstance, { member, action }: Wish): boolean {
  return (action === 'evacuate' ? location : config[ORIGIN]) === member
}

/**
 * Also one that an earlier run of this command moved, which nothing moves any more. Of what came back Incus keeps no
 * mark: all that is on the member counts.
 */
function hasArrived({ location, config }: SystemInstance, { member, action }: Wish): boolean {
  return action === 'evacuate' ? config[ORIGIN] === member : location === member
}

function isOurs({ config }: SystemInstance): boolean {
  return config[SYSTEM_KEY.whole] === 'true'
}

function wasCarried({ config }: SystemInstance): boolean {
  return config[SYSTEM_KEY.carried] === 'true'
}

/** A daemon that ends between the stop of a container and its start on another member takes it for one that is to be stopped. */
async function startCarried(hands: Hands, all: readonly SystemInstance[]): Promise<void> {
  for (const each of all.filter(found => wasCarried(found) && !isUp(found))) {
    await startInstance(hands, each).catch(error => {
      hands.signal.throwIfAborted()
      hands.say(asFairleadError(error).message, 'stderr')
    })
  }
}

/** That Incus has started one says nothing of whether somebody can log in. */
async function proveAll(hands: Hands, systems: readonly SystemInstance[]): Promise<void> {
  for (const found of systems.filter(isUp)) {
    const login = Object.values(found.devices).find(({ connect }) => connect === SSH)
    const port = Number(login?.listen?.split(':').at(-1) ?? 0)
    if (port > 0) {
      const place = { host: await reachedAt(hands, found), port }
      await greetingAt(hands, { name: found.name, withinMs: SSH_WITHIN_MS }, place)
    }
  }
}
