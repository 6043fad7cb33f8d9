import { resolve } from 'node:path'
import type { Command } from 'commander'
import {
  askBackup,
  type OpeningOptions,
  openingFrom,
  passphraseFrom,
  withOpeningOptions,
} from '#cli/ask-backup.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { runPart } from '#cli/parts.ts'
import type { Session } from '#cli/session.ts'
import type { BackupFacts } from '#contract/backup.ts'

export function configureManager(command: Command, act: Act): void {
  const run = (words: readonly string[]) => act((session: Session) => runPart(session, 'manager', words))
  command.command('serve', { isDefault: true }).description('serves until it is interrupted').action(run([]))
  command
    .command('identity')
    .description('prints the public identity that workers pin')
    .action(run(['identity']))
  command
    .command('rotate-key')
    .description('makes a new key for stored secrets, which the next start of the manager takes')
    .action(run(['rotate-key']))
  command
    .command('rotate-identity')
    .description('makes a new key that this manager proves itself with to its hosts, from its next start on')
    .action(run(['rotate-identity']))
  command
    .command('check')
    .description(
      'says which migrations the database still lacks; refuses one of a newer program; changes nothing',
    )
    .action(run(['check']))
  command
    .command('export')
    .description(
      'writes the keys that another manager on the same database needs; nobody reads them without the key',
    )
    .argument('<file>', 'to write; it must not be there yet')
    .option('--recipient <keys...>', 'who can open it (age1…)')
    .option('--passphrase-file <file>', 'with the passphrase; without any key it is asked for')
    .action(act(exportKeys))
  withOpeningOptions(
    command
      .command('import')
      .description('takes those keys in, before this manager is started for the first time')
      .argument('<file>', 'that "fairlead manager export" wrote'),
  ).action(act(importKeys))
  withExamples(command, [
    ['fairlead manager', 'serves; configured by FAIRLEAD_… variables (docs/running.md)'],
    ['fairlead manager identity', 'prints the public identity that workers pin'],
    ['fairlead manager export keys.age', 'for a second manager (docs/database.md)'],
    ['fairlead manager import keys.age', 'on the machine of the second one'],
  ])
}

interface ExportOptions {
  readonly recipient?: string[]
  readonly passphraseFile?: string
}

async function exportKeys(session: Session, file: string, options: ExportOptions): Promise<void> {
  const to = resolve(file)
  const { recipient: recipients = [], passphraseFile } = options
  const isAsked = recipients.length === 0 || passphraseFile !== undefined
  const passphrase = isAsked ? { passphrase: await passphraseFrom(passphraseFile) } : {}
  const facts = await askBackup<BackupFacts>(session, { do: 'export', to, recipients, ...passphrase })
  session.printer.answer(facts)
  session.printer.line(`${facts.file}: the keys of the manager ${facts.key_id}`)
  session.printer.line('Bring it to the other machine, take it in with "fairlead manager import", delete it.')
}

async function importKeys(session: Session, file: string, options: OpeningOptions): Promise<void> {
  const from = resolve(file)
  const opening = await openingFrom(options)
  const facts = await askBackup<BackupFacts>(session, { do: 'import', from, opening })
  session.printer.answer(facts)
  session.printer.line(`This machine has the keys of the manager ${facts.key_id}.`)
  session.printer.line('Start it with the same FAIRLEAD_DATABASE_URL and its own FAIRLEAD_PEER_LISTEN.')
}
