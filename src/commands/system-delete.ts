import { type Static, Type } from 'typebox'
import {
  deleteInstance,
  findInstance,
  restoringName,
  type SystemInstance,
  setState,
} from '#programs/incus-instances.ts'
import { deleteNetwork, idleStandIns } from '#programs/incus-networks.ts'
import { SYSTEM_KEY } from '#programs/incus-system.ts'
import type { Hands } from './command.ts'
import { defineSystemChange } from './system-at-member.ts'
import { SystemDeleteData } from './system-data.ts'
import { ended, lookFor, systemsOf, untilIdle } from './system-incus.ts'

const FORCE_SECONDS = 30

const DeleteResult = Type.Object({ deleted: Type.Boolean() }, { additionalProperties: false })

export const systemDelete = defineSystemChange({
  name: 'system.delete',
  summary: 'Deletes a system container with everything in it and its snapshots.',
  data: SystemDeleteData,
  result: DeleteResult,
  deadlineMs: 600_000,
  run: remove,
})

async function remove(
  hands: Hands,
  { id, name, madeBy }: Static<typeof SystemDeleteData>,
): Promise<Static<typeof DeleteResult>> {
  await removeHalfBrought(hands, id)
  const found = await lookFor(hands, name === undefined ? { id } : { id, name })
  if (!found || (madeBy !== undefined && found.config[SYSTEM_KEY.deployment] !== madeBy)) {
    return { deleted: false }
  }
  await removeInstance(hands, found)
  hands.say(`deleted "${found.name}" with everything in it`, 'info')
  return { deleted: true }
}

/** What came out of a backup and never became the system that was to be made of it. */
export async function removeHalfBrought(hands: Hands, id: string): Promise<void> {
  const { socket } = systemsOf(hands)
  const name = restoringName(id)
  await untilIdle(hands, name)
  const found = await hands.perform(findInstance(socket, name))
  if (!found) {
    return
  }
  await removeInstance(hands, found)
  for (const network of await hands.perform(idleStandIns(socket))) {
    await ended(hands, { what: 'deleted', name }, hands.perform(deleteNetwork(socket, network)))
  }
}

/** Whatever state it is in; what is under way with it ends first. */
export async function removeInstance(hands: Hands, { name }: SystemInstance): Promise<void> {
  const { socket } = systemsOf(hands)
  await untilIdle(hands, name)
  // One that Incus could not make to the end it has taken away itself.
  if ((await hands.perform(findInstance(socket, name))) === undefined) {
    return
  }
  const stop = { action: 'stop', force: true, timeoutSeconds: FORCE_SECONDS } as const
  // One that does not run, or was never made to the end, cannot be stopped.
  await ended(hands, { what: 'stopped', name }, hands.perform(setState(socket, name, stop))).catch(() => {
    hands.signal.throwIfAborted()
  })
  await ended(hands, { what: 'deleted', name }, hands.perform(deleteInstance(socket, name)))
}
