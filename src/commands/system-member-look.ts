import { Type } from 'typebox'
import { MemberName } from '#contract/cluster.ts'
import { memberOperations } from '#programs/incus-cluster.ts'
import { listInstances } from '#programs/incus-instances.ts'
import { SYSTEM_KEY } from '#programs/incus-system.ts'
import { defineCommand } from './command.ts'
import { systemsOf } from './system-incus.ts'
import { memberNamed } from './system-members.ts'

const strict = { additionalProperties: false } as const
/** What is told of must fit into one frame. */
const MOST = 1_000
const Names = Type.Array(Type.String(), { maxItems: MOST })

/** Where Incus writes down what an evacuation has moved, until it is back. */
export const ORIGIN = 'volatile.evacuate.origin'

export const MemberSight = Type.Object(
  {
    /** As Incus says it: online, offline, evacuated … */
    status: Type.String(),
    /** Systems of Fairlead that are there. */
    here: Names,
    /** Those that were moved away from it for as long as it is evacuated. */
    away: Names,
    /** Incus is still at work with the member, whoever asked for that. */
    isBusy: Type.Boolean(),
  },
  strict,
)

export const systemMemberLook = defineCommand({
  name: 'system.member-look',
  summary: 'Tells what is on a member of the cluster, what was moved away from it, and whether that goes on.',
  role: 'worker',
  looksOnly: true,
  engineFree: true,
  data: Type.Object({ member: MemberName }, strict),
  result: MemberSight,
  deadlineMs: 60_000,
  async run(hands, { member }) {
    const { socket } = systemsOf(hands)
    const { found } = await memberNamed(hands, member)
    const all = await hands.perform(listInstances(socket))
    const ours = all.filter(({ config }) => config[SYSTEM_KEY.whole] === 'true')
    const named = (some: typeof ours) =>
      some
        .map(({ name }) => name)
        .sort()
        .slice(0, MOST)
    return {
      status: found.status,
      here: named(ours.filter(({ location }) => location === member)),
      away: named(ours.filter(({ location, config }) => config[ORIGIN] === member && location !== member)),
      isBusy: (await hands.perform(memberOperations(socket, member))).length > 0,
    }
  },
})
