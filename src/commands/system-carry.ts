import { Type } from 'typebox'
import type { Partner } from '#exec/call.ts'
import { defineCommand, type Hands } from './command.ts'
import { KeptBackup, SystemSendBackupData, SystemTakeBackupData } from './system-data.ts'
import { SYSTEM_FAILED } from './system-errors.ts'
import { backupFile } from './system-files.ts'

const SIX_HOURS_MS = 6 * 3_600_000

export const systemSendBackup = defineCommand({
  name: 'system.send-backup',
  summary: 'Sends the encrypted file of a backup, as it is, to whoever asks for it through the manager.',
  role: 'worker',
  looksOnly: true,
  engineFree: true,
  talks: true,
  data: SystemSendBackupData,
  result: Type.Object({}, { additionalProperties: false }),
  deadlineMs: SIX_HOURS_MS,
  async run(hands, { backup }) {
    const { file, partner } = carrying(hands, backup)
    await hands.perform({
      ...{ kind: 'archive', operation: 'send', file, partner, timeoutMs: SIX_HOURS_MS },
      read: () => undefined,
    } as const)
    return {}
  },
})

export const systemTakeBackup = defineCommand({
  name: 'system.take-backup',
  summary:
    'Takes the encrypted file of a backup that another host sends; one with another checksum is not kept.',
  role: 'worker',
  engineFree: true,
  talks: true,
  data: SystemTakeBackupData,
  result: KeptBackup,
  deadlineMs: SIX_HOURS_MS,
  lock: ({ backup }) => `system-backup:${backup}`,
  async run(hands, { backup, bytes, sha256 }) {
    const { file, partner } = carrying(hands, backup)
    const kept = await hands.perform({
      ...{ kind: 'archive', operation: 'take', file, partner, bytes, sha256, timeoutMs: SIX_HOURS_MS },
      read: (taken: { bytes: number; sha256: string }) => taken,
    } as const)
    hands.say(`took the backup into ${file}, ${kept.bytes} bytes`, 'info')
    return kept
  },
})

function carrying(hands: Hands, backup: string): { readonly file: string; readonly partner: Partner } {
  const file = backupFile(hands, backup)
  if (!hands.talk) {
    throw SYSTEM_FAILED('carried over', backup, 'the other host is gone')
  }
  return { file, partner: hands.talk }
}
