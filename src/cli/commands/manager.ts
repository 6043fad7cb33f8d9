import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { runPart } from '#cli/parts.ts'
import type { Session } from '#cli/session.ts'

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
  withExamples(command, [
    ['fairlead manager', 'serves; configured by FAIRLEAD_… variables (docs/running.md)'],
    ['fairlead manager identity', 'prints the public identity that workers pin'],
  ])
}
