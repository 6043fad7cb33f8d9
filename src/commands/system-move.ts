import { Type } from 'typebox'
import { moveInstance } from '#programs/incus-cluster.ts'
import { SYSTEM_KEY } from '#programs/incus-system.ts'
import { defineSystemChange } from './system-at-member.ts'
import { SystemMoveData } from './system-data.ts'
import { ended, mustFind, note, systemsOf, untilIdle } from './system-incus.ts'
import { stopInstance } from './system-state.ts'

export const systemMove = defineSystemChange({
  name: 'system.move',
  summary:
    'Moves a system container with its snapshots to another member of the cluster; it is stopped for that.',
  data: SystemMoveData,
  result: Type.Object({ moved: Type.Boolean() }, { additionalProperties: false }),
  // Everything on its disk goes over the network.
  deadlineMs: 6 * 3_600_000,
  members: ({ member }) => [member],
  async run(hands, { id, name, member, deployment }) {
    const before = await mustFind(hands, { id, name })
    // What an earlier worker began goes on in the daemon.
    await untilIdle(hands, before.name)
    const found = await mustFind(hands, { id, name })
    if (found.location === member) {
      await note(hands, found.name, { [SYSTEM_KEY.deployment]: deployment })
      return { moved: false }
    }
    await stopInstance(hands, found)
    const doing = { what: `moved to "${member}"`, name: found.name }
    await ended(hands, doing, hands.perform(moveInstance(systemsOf(hands).socket, found.name, member)))
    await note(hands, found.name, { [SYSTEM_KEY.deployment]: deployment })
    hands.say(`moved "${found.name}" to "${member}"`, 'info')
    return { moved: true }
  },
})
