import { type Static, Type } from 'typebox'
import { deleteInstance, type SystemInstance, setState } from '#programs/incus-instances.ts'
import { SYSTEM_KEY } from '#programs/incus-system.ts'
import { defineCommand, type Hands } from './command.ts'
import { SystemDeleteData } from './system-data.ts'
import { ended, lookFor, systemLock, systemsOf, untilIdle } from './system-incus.ts'

const FORCE_SECONDS = 30

const DeleteResult = Type.Object({ deleted: Type.Boolean() }, { additionalProperties: false })

export const systemDelete = defineCommand({
  name: 'system.delete',
  summary: 'Deletes a system container with everything in it and its snapshots.',
  role: 'worker',
  engineFree: true,
  data: SystemDeleteData,
  result: DeleteResult,
  deadlineMs: 600_000,
  lock: systemLock,
  run: remove,
})

async function remove(
  hands: Hands,
  { id, madeBy }: Static<typeof SystemDeleteData>,
): Promise<Static<typeof DeleteResult>> {
  const found = await lookFor(hands, { id })
  if (!found || (madeBy !== undefined && found.config[SYSTEM_KEY.deployment] !== madeBy)) {
    return { deleted: false }
  }
  await removeInstance(hands, found)
  hands.say(`deleted "${found.name}" with everything in it`, 'info')
  return { deleted: true }
}

/** Whatever state it is in; what is under way with it ends first. */
export async function removeInstance(hands: Hands, { name }: SystemInstance): Promise<void> {
  const { socket } = systemsOf(hands)
  await untilIdle(hands, name)
  const stop = { action: 'stop', force: true, timeoutSeconds: FORCE_SECONDS } as const
  // One that does not run, or was never made to the end, cannot be stopped.
  await ended(hands, { what: 'stopped', name }, hands.perform(setState(socket, name, stop))).catch(() => {
    hands.signal.throwIfAborted()
  })
  await ended(hands, { what: 'deleted', name }, hands.perform(deleteInstance(socket, name)))
}
