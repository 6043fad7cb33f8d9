import { Type } from 'typebox'
import {
  deleteSnapshot,
  listSnapshots,
  renameSnapshot,
  restoreSnapshot,
  takeSnapshot,
} from '#programs/incus-snapshots.ts'
import { SYSTEM_KEY } from '#programs/incus-system.ts'
import { handsForCleanUp } from './clean-up.ts'
import type { Hands } from './command.ts'
import { defineSystemChange } from './system-at-member.ts'
import { shape } from './system-change.ts'
import {
  type SystemRestoreData as RestoreData,
  SystemRestoreData,
  SystemSnapshotData,
} from './system-data.ts'
import { SYSTEM_SNAPSHOT_GONE } from './system-errors.ts'
import { endedWhenFree, mustFind, systemsOf, untilIdle } from './system-incus.ts'
import { stopInstance } from './system-state.ts'

const strict = { additionalProperties: false } as const
/** With a pool that is a plain folder everything is copied. */
const RESTORE_MS = 900_000
const Empty = Type.Object({}, strict)

export const systemSnapshot = defineSystemChange({
  name: 'system.snapshot',
  summary: 'Keeps what is on the disk of a system container now, under a name.',
  data: SystemSnapshotData,
  result: Empty,
  deadlineMs: 600_000,
  async run(hands, { id, name, snapshot }) {
    const { socket } = systemsOf(hands)
    const found = await mustFind(hands, { id, name })
    const doing = { what: `kept as "${snapshot}"`, name: found.name }
    await untilIdle(hands, found.name)
    if (!(await hasSnapshot(hands, found.name, snapshot))) {
      await forget(hands, found.name, halfOf(snapshot))
      await endedWhenFree(hands, doing, () => takeSnapshot(socket, found.name, halfOf(snapshot)))
      const to = { from: halfOf(snapshot), to: snapshot }
      await endedWhenFree(hands, doing, () => renameSnapshot(socket, found.name, to))
      hands.say(`kept "${found.name}" as it is as "${snapshot}"`, 'info')
    }
    return {}
  },
})

export const systemForget = defineSystemChange({
  name: 'system.forget-snapshot',
  summary: 'Deletes a snapshot of a system container.',
  data: SystemSnapshotData,
  result: Empty,
  deadlineMs: 600_000,
  async run(hands, { id, name, snapshot }) {
    const found = await mustFind(hands, { id, name })
    await untilIdle(hands, found.name)
    await forget(hands, found.name, halfOf(snapshot))
    if (await forget(hands, found.name, snapshot)) {
      hands.say(`deleted the snapshot "${snapshot}" of "${found.name}"`, 'info')
    }
    return {}
  },
})

export const systemRestore = defineSystemChange({
  name: 'system.restore',
  summary: 'Brings the disk of a system container back to a snapshot; its limits and ports stay.',
  data: SystemRestoreData,
  result: Empty,
  deadlineMs: RESTORE_MS,
  run: restore,
})

async function restore(hands: Hands, data: RestoreData): Promise<Record<string, never>> {
  const { snapshot, restored } = data
  const found = await mustFind(hands, data)
  await untilIdle(hands, found.name)
  if (Number(found.config[SYSTEM_KEY.restored] ?? 0) === restored) {
    return {}
  }
  if (!(await hasSnapshot(hands, found.name, snapshot))) {
    throw SYSTEM_SNAPSHOT_GONE(found.name, snapshot)
  }
  const doing = { what: `brought back to "${snapshot}"`, name: found.name }
  // Incus starts again what ran, with the rights, ports and keys of that day: it is started when it has those of today.
  await stopInstance(hands, found)
  // Once begun it goes on in the daemon whatever becomes of the command. Cut off before it is written down what was done,
  // it would be done again with the next change, and what was written until then would be lost.
  const calm = calmHands(hands)
  const { socket } = systemsOf(hands)
  await endedWhenFree(calm, doing, () => restoreSnapshot(socket, found.name, snapshot))
  // With the disk came the configuration of that day: limits, ports and what we wrote down of it are put back.
  const marks = {
    [SYSTEM_KEY.restored]: String(restored),
    [SYSTEM_KEY.restarts]: found.config[SYSTEM_KEY.restarts] ?? '0',
    [SYSTEM_KEY.carried]: '',
  }
  await shape(calm, await mustFind(calm, data), { ...data, marks })
  calm.say(`"${found.name}" is as it was in "${snapshot}"`, 'info')
  return {}
}

/** They do not end with the command, and say nothing more when it has. */
function calmHands(hands: Hands): Hands {
  const say: Hands['say'] = (text, stream) => hands.signal.aborted || hands.say(text, stream)
  return { ...handsForCleanUp(hands, RESTORE_MS), say }
}

/**
 * What it is called until it is whole, which no person can call one: Incus lists a snapshot from its beginning, and also
 * one that it did not get to the end of.
 */
function halfOf(snapshot: string): string {
  return `${snapshot}.half`
}

/** Whether there was one. */
async function forget(hands: Hands, name: string, snapshot: string): Promise<boolean> {
  const isThere = await hasSnapshot(hands, name, snapshot)
  if (isThere) {
    const doing = { what: `rid of its snapshot "${snapshot}"`, name }
    await endedWhenFree(hands, doing, () => deleteSnapshot(systemsOf(hands).socket, name, snapshot))
  }
  return isThere
}

async function hasSnapshot(hands: Hands, name: string, snapshot: string): Promise<boolean> {
  const all = await hands.perform(listSnapshots(systemsOf(hands).socket, name))
  return all.some(each => each.name === snapshot)
}
