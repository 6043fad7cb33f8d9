import { resolve } from 'node:path'
import type { Command } from 'commander'
import {
  askBackup,
  linesOf,
  type OpeningOptions,
  openingFrom,
  passphraseFrom,
  withOpeningOptions,
} from '#cli/ask-backup.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { openNewFile } from '#cli/new-file.ts'
import type { Session } from '#cli/session.ts'
import type { BackupFacts, NewBackupKey } from '#contract/backup.ts'

interface CreateOptions {
  readonly recipient?: string[]
  readonly recipientsFile?: string
  readonly passphraseFile?: string
  readonly logs: boolean
}

export function configureBackup(command: Command, act: Act): void {
  command
    .command('create')
    .description('backs up the manager of this machine, which may run meanwhile')
    .argument('<file>', 'to write; it must not be there yet')
    .option('--recipient <keys...>', 'who can open it (age1…)')
    .option('--recipients-file <file>', 'with one recipient a line')
    .option('--passphrase-file <file>', 'with the passphrase; without any key it is asked for')
    .option('--no-logs', 'without the logs of deployments')
    .action(act(create))
  withOpeningOptions(
    command
      .command('verify')
      .description('opens a backup and checks everything in it; changes nothing')
      .argument('<file>'),
  ).action(act(verify))
  command
    .command('key')
    .description('makes a pair of keys: writes the secret one, prints the one to make backups for')
    .argument('<file>', 'for the secret key; keep it on another machine')
    .action(act(key))
  withExamples(command, [
    ['fairlead backup key backup.key', 'once; keep the file elsewhere'],
    ['fairlead backup create /backups/monday.age --recipient age1…', 'opens with backup.key only'],
    ['fairlead backup verify /backups/monday.age --identity backup.key', 'is all of it there?'],
  ])
}

async function create(session: Session, file: string, options: CreateOptions): Promise<void> {
  const to = resolve(file)
  const { recipientsFile, recipient = [] } = options
  const recipients = [...recipient, ...(recipientsFile === undefined ? [] : linesOf(recipientsFile))]
  const needsPassphrase = recipients.length === 0 || options.passphraseFile !== undefined
  const passphrase = needsPassphrase ? { passphrase: await passphraseFrom(options.passphraseFile) } : {}
  const request = { do: 'create', to, recipients, logs: options.logs, ...passphrase } as const
  const facts = await askBackup<BackupFacts>(session, request)
  say(session, facts)
}

async function verify(session: Session, file: string, options: OpeningOptions): Promise<void> {
  const from = resolve(file)
  const opening = await openingFrom(options)
  const facts = await askBackup<BackupFacts>(session, { do: 'verify', from, opening })
  say(session, facts)
}

async function key(session: Session, file: string): Promise<void> {
  const { printer } = session
  const secret = openNewFile(file)
  const { identity, recipient } = await askBackup<NewBackupKey>(session, { do: 'key' })
  secret.write(`# public key: ${recipient}\n${identity}\n`)
  printer.answer({ recipient, file: resolve(file) })
  printer.line(recipient)
  printer.note(`The secret key is in ${file}. Without it no backup for ${recipient} can be opened.`)
}

function say({ printer }: Session, facts: BackupFacts): void {
  printer.answer(facts)
  printer.line(`${facts.file}: ${facts.files} files, ${facts.bytes} bytes, all of them whole`)
  printer.line(`made ${facts.made_at} by Fairlead ${facts.version}, database ${facts.schema}`)
  printer.line(`of the manager with the key ${facts.key_id}`)
}
