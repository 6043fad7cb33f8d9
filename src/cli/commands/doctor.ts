import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { type Checked, examine } from '#cli/examine.ts'
import { EXIT } from '#cli/exit-codes.ts'
import type { Session } from '#cli/session.ts'

export function configureDoctor(command: Command, act: Act): void {
  command.action(act(doctor))
  withExamples(command, [
    ['fairlead doctor', 'everything, with what to do about what is wrong'],
    ['fairlead doctor --json', 'the same for a program; exit code 1 when something is wrong'],
  ])
}

async function doctor(session: Session): Promise<number> {
  const { printer } = session
  const checks = await examine(session)
  const wrong = checks.filter(({ mend }) => mend !== null)
  printer.answer({ healthy: wrong.length === 0, checks })
  for (const check of checks) {
    say(session, check)
  }
  const end = wrong.length === 0 ? 'Nothing is wrong.' : `${wrong.length} of ${checks.length} are not well.`
  printer.line(end)
  return wrong.length === 0 ? EXIT.ok : EXIT.failed
}

function say({ printer }: Session, { where, name, detail, mend }: Checked): void {
  const { colour } = printer
  printer.line(`${mend === null ? colour.green('ok   ') : colour.red('WRONG')} ${where} ${name}: ${detail}`)
  if (mend !== null) {
    printer.line(`      ${mend}`)
  }
}
