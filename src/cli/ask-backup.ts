import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import type { BackupOpening, BackupRequest } from '#contract/backup.ts'
import { FairleadError, type WireError } from '#lib/errors.ts'
import { askHidden } from './ask-hidden.ts'
import { BACKUP_NO_KEY } from './backup-errors.ts'
import { FILE_NOT_READ } from './errors.ts'
import { openDraft, openFile } from './handed-file.ts'
import { askPart, ownerOf, type PartOptions } from './parts.ts'
import type { Session } from './session.ts'

/**
 * Lets the manager's program, which alone knows its data, do something with backups. No manager need run. Where root
 * asks for the manager of somebody else, it is done as that one; the file, which may be root's, is handed over open.
 * `paths`: what is read and written beside the manager's folder and the file.
 */
export async function askBackup<T>(
  { config }: Pick<Session, 'config'>,
  request: BackupRequest,
  paths: Paths = NO_PATHS,
): Promise<T> {
  const { environment, dataFolder } = config
  const part = { name: 'manager', data: dataFolder, environment, arguments: ['backup'] } as const
  const owner = ownerOf(dataFolder)
  if (owner === undefined) {
    const file = pathsOf(request)
    const all = { read: [...file.read, ...paths.read], written: [...file.written, ...paths.written] }
    return answerOf<T>(await askPart({ ...part, paths: all }, JSON.stringify(request)))
  }
  using file = openedFor(request)
  const handed = file === undefined ? request : { ...request, descriptor: HANDED }
  const descriptors = file === undefined ? [] : [file.descriptor]
  const answer = answerOf<T>(await askPart({ ...part, paths, owner, descriptors }, JSON.stringify(handed)))
  file?.keep()
  return answer
}

type Paths = NonNullable<PartOptions['paths']>
const NO_PATHS: Paths = { read: [], written: [] }
/** The number that a program finds the first file under that it is handed. */
const HANDED = 3

/** Of the file that a request names. */
function pathsOf(request: BackupRequest): Paths {
  if ('to' in request) {
    return { read: [dirname(request.to)], written: [dirname(request.to)] }
  }
  return 'from' in request ? { read: [request.from], written: [] } : NO_PATHS
}

function openedFor(request: BackupRequest) {
  if ('to' in request) {
    return openDraft(request.to)
  }
  return 'from' in request ? openFile(request.from) : undefined
}

function answerOf<T>(text: string): T {
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
