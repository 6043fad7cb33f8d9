import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { BackupOpening, BackupRequest } from '#contract/backup.ts'
import { FairleadError, type WireError } from '#lib/errors.ts'
import { askHidden } from './ask-hidden.ts'
import { BACKUP_NO_KEY } from './backup-errors.ts'
import { FILE_NOT_READ } from './errors.ts'
import { askPart, type PartOptions } from './parts.ts'
import type { Session } from './session.ts'

/** Lets the manager's program, which alone knows its data, do something with backups. No manager need run. */
export async function askBackup<T>(
  { config }: Pick<Session, 'config'>,
  request: BackupRequest,
  paths: NonNullable<PartOptions['paths']> = { read: [], written: [] },
): Promise<T> {
  const { environment, dataFolder } = config
  const part = { name: 'manager', data: dataFolder, environment, arguments: ['backup'], paths } as const
  const text = await askPart(part, JSON.stringify(request))
  const answer = JSON.parse(text) as { readonly error?: WireError }
  if (answer.error) {
    throw new FairleadError(answer.error)
  }
  return answer as unknown as T
}

export interface OpeningOptions {
  readonly identity?: string[]
  readonly passphraseFile?: string
}

export function withOpeningOptions(command: Command): Command {
  return command
    .option('--identity <files...>', 'of the key that the backup was made for (fairlead backup key)')
    .option('--passphrase-file <file>', 'with the passphrase; without both it is asked for')
}

export async function openingFrom({ identity = [], passphraseFile }: OpeningOptions): Promise<BackupOpening> {
  const identities = identity.flatMap(file =>
    linesOf(file).filter(line => line.startsWith('AGE-SECRET-KEY-')),
  )
  if (identities.length > 0 && passphraseFile === undefined) {
    return { identities }
  }
  return { identities, passphrase: await passphraseFrom(passphraseFile) }
}

/** From the file, else from the terminal or standard input. */
export async function passphraseFrom(file: string | undefined): Promise<string> {
  const passphrase = file === undefined ? await askHidden('Passphrase: ') : (linesOf(file)[0] ?? '')
  if (passphrase === '') {
    throw BACKUP_NO_KEY()
  }
  return passphrase
}

/** Without comments and empty ones. */
export function linesOf(file: string): string[] {
  try {
    const lines = readFileSync(resolve(file), 'utf8').split('\n')
    return lines.map(line => line.trim()).filter(line => line !== '' && !line.startsWith('#'))
  } catch (error) {
    throw FILE_NOT_READ(file, (error as Error).message)
  }
}
