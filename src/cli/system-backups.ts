import type { Command } from 'commander'
import type { BackupDocument, BackupList } from '#contract/rest/system-backups.ts'
import { inBytes } from './bytes.ts'
import type { Act } from './command.ts'
import { inertLine } from './inert.ts'
import type { Session } from './session.ts'
import { BACKUP_FAILED } from './system-errors.ts'

const LOOK_EVERY_MS = 1_000

export function configureBackups(command: Command, act: Act): void {
  command
    .command('backup')
    .description('writes one into an encrypted file of its host; it goes on running')
    .argument('<system>')
    .action(act(backUp))
  command
    .command('backups')
    .description('lists backups; "create <system> --backup <id>" makes a system of one')
    .option('--delete <id>', 'deletes one')
    .action(act(list))
}

async function backUp({ client, printer, clock, signal }: Session, name: string): Promise<number> {
  const path = `/systems/${encodeURIComponent(name)}/backups`
  let backup = await client.send<BackupDocument>('POST', path, {})
  while (backup.state === 'making') {
    await clock.sleep(LOOK_EVERY_MS, signal)
    backup = await client.get<BackupDocument>(`/system-backups/${backup.id}`)
  }
  if (backup.state !== 'kept') {
    throw BACKUP_FAILED(name, inertLine(backup.reason ?? 'somebody deleted it', 500))
  }
  printer.answer(backup)
  printer.line(`${backup.id}: ${inBytes(backup.bytes ?? 0)} on ${backup.host}`)
  return 0
}

async function list(
  { client, printer }: Session,
  { delete: gone }: { readonly delete?: string },
): Promise<void> {
  if (gone !== undefined) {
    await client.send('DELETE', `/system-backups/${encodeURIComponent(gone)}`)
  }
  const answer = await client.get<BackupList>('/system-backups')
  printer.answer(answer)
  printer.table(
    ['backup', 'system', 'owner', 'host', 'state', 'size', 'made'],
    answer.items.map(each => [
      each.id,
      each.system,
      inertLine(each.owner, 40),
      each.host,
      each.state,
      each.bytes === null ? '' : inBytes(each.bytes),
      each.created_at,
    ]),
  )
}
