import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import type { Session } from '#cli/session.ts'

export function configureUp(command: Command, act: Act): void {
  command.action(act(up))
  withExamples(command, [['fairlead up', 'x']])
}

async function up(session: Session): Promise<void> {
  session.printer.line('')
}
