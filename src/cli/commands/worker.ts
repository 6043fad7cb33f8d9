import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { runPart } from '#cli/parts.ts'
import type { Session } from '#cli/session.ts'

export function configureWorker(command: Command, act: Act): void {
  const run = (session: Session, words: readonly string[]) => runPart(session, 'worker', words)
  command
    .command('serve', { isDefault: true })
    .description('serves until it is interrupted')
    .action(act((session: Session) => run(session, [])))
  command
    .command('init')
    .description('makes its keys, once, and prints its public identity')
    .action(act((session: Session) => run(session, ['init'])))
  command
    .command('trust')
    .description('pins a manager: only pinned ones are obeyed')
    .argument('<file>', 'what "fairlead hosts identity" printed')
    .action(act((session: Session, file: string) => run(session, ['trust', file])))
  command
    .command('revoke')
    .description('never again obeys a manager')
    .argument('<key>', 'id of its key, as "fairlead worker trust" said it')
    .action(act((session: Session, key: string) => run(session, ['revoke', key])))
  withExamples(command, [
    ['fairlead worker init > box.json', 'makes its keys and prints the public identity'],
    ['fairlead worker trust manager.json', 'pins the manager'],
    ['fairlead worker', 'serves; configured by FAIRLEAD_… variables (docs/running.md)'],
  ])
}
