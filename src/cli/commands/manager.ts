import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { runPart } from '#cli/parts.ts'
import type { Session } from '#cli/session.ts'

export function configureManager(command: Command, act: Act): void {
  command
    .argument('[words...]', 'what to do instead of serving, such as "identity"')
    .allowUnknownOption()
    .action(act((session: Session, words: readonly string[]) => runPart(session, 'manager', words)))
  withExamples(command, [
    ['fairlead manager', 'serves; configured by FAIRLEAD_… variables'],
    ['fairlead manager identity', 'prints the public identity that workers pin'],
  ])
}
