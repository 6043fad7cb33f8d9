import type { Command } from 'commander'
import type { BackupDocument, BackupList } from '#contract/rest/system-backups.ts'
import { inBytes } from './bytes.ts'
import type { Act } from './command.ts'
import { inertLine } from './inert.ts'
import type { Session } from './session.ts'
import { BACKUP_FAILED, COPY_FAILED, COPY_OF_WHAT } from './system-errors.ts'

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
    .option('--copy <id>', 'brings a copy of one to another host')
    .option('--to <host>', 'which host that is')
    .action(act(list))
}

async function backUp(session: Session, name: string): Promise<number> {
  const path = `/systems/${encodeURIComponent(name)}/backups`
  const backup = await made(session, await session.client.send<BackupDocument>('POST', path, {}))
  if (backup.state !== 'kept') {
    throw BACKUP_FAILED(name, whyNot(backup))
  }
  tell(session, backup)
  return 0
}

/** A copy of a backup on a host, once it is there: the backup itself when that is where it is. */
export async function copyTo(session: Session, id: string, host: string): Promise<BackupDocument> {
  const path = `/system-backups/${encodeURIComponent(id)}/copies`
  const copy = await made(session, await session.client.send<BackupDocument>('POST', path, { host }))
  if (copy.state !== 'kept') {
    throw COPY_FAILED(id, host, whyNot(copy))
  }
  return copy
}

async function made({ client, clock, signal }: Session, asked: BackupDocument): Promise<BackupDocument> {
  let backup = asked
  while (backup.state === 'making') {
    await clock.sleep(LOOK_EVERY_MS, signal)
    backup = await client.get<BackupDocument>(`/system-backups/${backup.id}`)
  }
  return backup
}

function whyNot({ reason }: BackupDocument): string {
  return inertLine(reason ?? 'somebody deleted it', 500)
}

function tell({ printer }: Session, backup: BackupDocument): void {
  printer.answer(backup)
  printer.line(`${backup.id}: ${inBytes(backup.bytes ?? 0)} on ${backup.host}`)
}

async function list(
  session: Session,
  { delete: gone, copy, to }: Partial<Record<'delete' | 'copy' | 'to', string>>,
): Promise<void> {
  const { client, printer } = session
  if ((copy === undefined) !== (to === undefined)) {
    throw COPY_OF_WHAT()
  }
  if (copy !== undefined && to !== undefined) {
    tell(session, await copyTo(session, copy, to))
    return
  }
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
