import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { runPart } from '#cli/parts.ts'
import type { Session } from '#cli/session.ts'

export function configureWorker(command: Command, act: Act): void {
  command
    .argument('[words...]', 'what to do instead of serving, such as "init" or "trust FILE"')
    .allowUnknownOption()
    .action(act((session: Session, words: readonly string[]) => runPart(session, 'worker', words)))
  withExamples(command, [
    ['fairlead worker init > box.json', 'makes its keys and prints the public identity'],
    ['fairlead worker trust manager.json', 'pins the manager'],
    ['fairlead worker', 'serves; configured by FAIRLEAD_WORKER_… variables'],
  ])
}
