import { Type } from 'typebox'
import { deleteSnapshot, listSnapshots, restoreSnapshot, takeSnapshot } from '#programs/incus-snapshots.ts'
import { SYSTEM_KEY } from '#programs/incus-system.ts'
import { defineCommand, type Hands } from './command.ts'
import { shape } from './system-change.ts'
import {
  type SystemRestoreData as RestoreData,
  SystemRestoreData,
  SystemSnapshotData,
} from './system-data.ts'
import { SYSTEM_SNAPSHOT_GONE } from './system-errors.ts'
import { ended, mustFind, systemLock, systemsOf } from './system-incus.ts'

const strict = { additionalProperties: false } as const
const Empty = Type.Object({}, strict)

export const systemSnapshot = defineCommand({
  name: 'system.snapshot',
  summary: 'Keeps what is on the disk of a system container now, under a name.',
  role: 'worker',
  engineFree: true,
  data: SystemSnapshotData,
  result: Empty,
  deadlineMs: 600_000,
  lock: systemLock,
  async run(hands, { id, name, snapshot }) {
    const found = await mustFind(hands, { id, name })
    if (!(await hasSnapshot(hands, found.name, snapshot))) {
      const doing = { what: `kept as "${snapshot}"`, name: found.name }
      await ended(hands, doing, hands.perform(takeSnapshot(systemsOf(hands).socket, found.name, snapshot)))
      hands.say(`kept "${found.name}" as it is as "${snapshot}"`, 'info')
    }
    return {}
  },
})

export const systemForget = defineCommand({
  name: 'system.forget-snapshot',
  summary: 'Deletes a snapshot of a system container.',
  role: 'worker',
  engineFree: true,
  data: SystemSnapshotData,
  result: Empty,
  deadlineMs: 600_000,
  lock: systemLock,
  async run(hands, { id, name, snapshot }) {
    const found = await mustFind(hands, { id, name })
    if (await hasSnapshot(hands, found.name, snapshot)) {
      const doing = { what: `rid of its snapshot "${snapshot}"`, name: found.name }
      await ended(hands, doing, hands.perform(deleteSnapshot(systemsOf(hands).socket, found.name, snapshot)))
      hands.say(`deleted the snapshot "${snapshot}" of "${found.name}"`, 'info')
    }
    return {}
  },
})

export const systemRestore = defineCommand({
  name: 'system.restore',
  summary: 'Brings the disk of a system container back to a snapshot; its limits and ports stay.',
  role: 'worker',
  engineFree: true,
  data: SystemRestoreData,
  result: Empty,
  deadlineMs: 900_000,
  lock: systemLock,
  run: restore,
})

async function restore(hands: Hands, data: RestoreData): Promise<Record<string, never>> {
  const { snapshot, restored } = data
  const found = await mustFind(hands, data)
  if (Number(found.config[SYSTEM_KEY.restored] ?? 0) === restored) {
    return {}
  }
  if (!(await hasSnapshot(hands, found.name, snapshot))) {
    throw SYSTEM_SNAPSHOT_GONE(found.name, snapshot)
  }
  const doing = { what: `brought back to "${snapshot}"`, name: found.name }
  await ended(hands, doing, hands.perform(restoreSnapshot(systemsOf(hands).socket, found.name, snapshot)))
  // With the disk came the configuration of that day: limits, ports and what we wrote down of it are put back.
  const marks = {
    [SYSTEM_KEY.restored]: String(restored),
    [SYSTEM_KEY.restarts]: found.config[SYSTEM_KEY.restarts] ?? '0',
  }
  await shape(hands, await mustFind(hands, data), { ...data, marks })
  hands.say(`"${found.name}" is as it was in "${snapshot}"`, 'info')
  return {}
}

async function hasSnapshot(hands: Hands, name: string, snapshot: string): Promise<boolean> {
  const all = await hands.perform(listSnapshots(systemsOf(hands).socket, name))
  return all.some(each => each.name === snapshot)
}
