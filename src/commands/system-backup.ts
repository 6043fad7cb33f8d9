import { type Static, Type } from 'typebox'
import { beginBackup, deleteBackup, keepBackup, listBackups } from '#programs/incus-backups.ts'
import { handsForCleanUp } from './clean-up.ts'
import { defineCommand, type Hands } from './command.ts'
import { defineSystemChange } from './system-at-member.ts'
import { KeptBackup, SystemBackupData, SystemForgetBackupData } from './system-data.ts'
import { backupFile } from './system-files.ts'
import { ended, mustFind, systemsOf, untilIdle } from './system-incus.ts'

const HOURS = 3_600_000
const CLEAN_UP_MS = 60_000

export const systemBackup = defineSystemChange({
  name: 'system.backup',
  summary: 'Writes a system container into an encrypted file of its host; its snapshots are left out.',
  data: SystemBackupData,
  result: KeptBackup,
  deadlineMs: 6 * HOURS,
  run: backUp,
})

export const systemForgetBackup = defineCommand({
  name: 'system.forget-backup',
  summary: 'Deletes the file of a backup of a system container.',
  role: 'worker',
  engineFree: true,
  data: SystemForgetBackupData,
  result: Type.Object({}, { additionalProperties: false }),
  deadlineMs: 60_000,
  async run(hands, { backup }) {
    const file = backupFile(hands, backup)
    await hands.perform({ kind: 'archive', operation: 'forget', file, read: () => undefined })
    return {}
  },
})

async function backUp(
  hands: Hands,
  data: Static<typeof SystemBackupData>,
): Promise<Static<typeof KeptBackup>> {
  const { backup, recipients, maxBytes } = data
  const { socket } = systemsOf(hands)
  const { name } = await mustFind(hands, data)
  // Of an attempt that was cut off: nobody else is at work with this container now.
  await forgetPacked(hands, name)
  try {
    const doing = { what: 'packed for its backup', name }
    await ended(hands, doing, hands.perform(beginBackup(socket, name, backup)))
    const file = backupFile(hands, backup)
    const kept = await hands.perform(
      keepBackup(socket, { name, backup, file, recipients, maxBytes, timeoutMs: 6 * HOURS }),
    )
    hands.say(`wrote "${name}" into ${file}, ${kept.bytes} bytes`, 'info')
    return kept
  } finally {
    await forgetPacked(handsForCleanUp(hands, CLEAN_UP_MS), name).catch(() => undefined)
  }
}

/** What Incus has packed takes as much room as the file that was made of it. */
async function forgetPacked(hands: Hands, name: string): Promise<void> {
  const { socket } = systemsOf(hands)
  await untilIdle(hands, name)
  for (const each of await hands.perform(listBackups(socket, name))) {
    const doing = { what: 'rid of a packed copy', name }
    await ended(hands, doing, hands.perform(deleteBackup(socket, name, each)))
  }
}
