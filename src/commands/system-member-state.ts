import { Type } from 'typebox'
import { MemberName } from '#contract/cluster.ts'
import { memberOperations, setMemberState } from '#programs/incus-cluster.ts'
import { listInstances, type SystemInstance } from '#programs/incus-instances.ts'
import { SYSTEM_KEY } from '#programs/incus-system.ts'
import { defineCommand, type Hands } from './command.ts'
import { SYSTEM_MEMBER_LAST, SYSTEM_MEMBER_NOT_READY, SYSTEM_MEMBER_UNFINISHED } from './system-errors.ts'
import { ended, endOf, systemsOf } from './system-incus.ts'
import { memberNamed, reachedAt, refuseOneAddress } from './system-members.ts'
import { greetingAt, isUp } from './system-state.ts'

const strict = { additionalProperties: false } as const
/** Everything on the disks of a machine goes over the network. */
const DAY_MS = 24 * 3_600_000
const SSH_WITHIN_MS = 120_000
/** Where Incus writes down what an evacuation has moved, until it is back. */
const ORIGIN = 'volatile.evacuate.origin'
const SSH = 'tcp:127.0.0.1:22'

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
  lock: ({ member }) => `member:${member}`,
  async run(hands, { member, action }) {
    const { socket } = systemsOf(hands)
    const doing = { what: action === 'evacuate' ? 'evacuated' : 'restored', name: member }
    await refuse(hands, { member, action })
    // What an earlier worker began goes on in the daemon; how it ended shows below.
    for (const operation of await hands.perform(memberOperations(socket))) {
      await endOf(hands, doing, operation).catch(() => hands.signal.throwIfAborted())
    }
    const before = await affected(hands, { member, action })
    const names = before.map(({ name }) => name)
    const { found } = await memberNamed(hands, member)
    if ((found.status === 'evacuated') !== (action === 'evacuate')) {
      await ended(hands, doing, hands.perform(setMemberState(socket, member, action)))
    }
    // It calls a member evacuated, or restored, before it has moved anything; a daemon that ends then does not go on.
    const after = await hands.perform(listInstances(socket))
    const left = after.filter(isOurs).filter(each => isWhere(each, { member, action }))
    const moved = after
      .filter(isOurs)
      .filter(each => names.includes(each.name) || each.config[ORIGIN] === member)
    const isDown = (each: SystemInstance) =>
      !isUp(each) && before.some(was => was.name === each.name && isUp(was))
    const unfinished = [...left, ...moved.filter(each => !left.includes(each) && isDown(each))]
    if (unfinished.length > 0) {
      throw SYSTEM_MEMBER_UNFINISHED(doing.what, member, unfinished.map(({ name }) => name).join(', '))
    }
    await proveAll(hands, moved)
    hands.say(`${doing.what} "${member}"`, 'info')
    return { moved: moved.map(({ name }) => name).sort() }
  },
})

interface Wish {
  readonly member: string
  readonly action: 'evacuate' | 'restore'
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

/** The systems that are to be moved: away from it those that are there, back to it those that came from there. */
async function affected(hands: Hands, wish: Wish): Promise<SystemInstance[]> {
  const all = await hands.perform(listInstances(systemsOf(hands).socket))
  return all.filter(isOurs).filter(each => isWhere(each, wish))
}

function isWhere({ location, config }: SystemInstance, { member, action }: Wish): boolean {
  return (action === 'evacuate' ? location : config[ORIGIN]) === member
}

function isOurs({ config }: SystemInstance): boolean {
  return config[SYSTEM_KEY.whole] === 'true'
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
