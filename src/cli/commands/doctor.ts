import type { Command } from 'commander'
import type { Checked } from '#cli/checked.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { examine } from '#cli/examine.ts'
import { EXIT } from '#cli/exit-codes.ts'
import { mend } from '#cli/mend.ts'
import type { Session } from '#cli/session.ts'

export function configureDoctor(command: Command, act: Act): void {
  command.option('--fix', 'do what is safe about it, and look again').action(act(doctor))
  withExamples(command, [
    ['fairlead doctor', 'everything, with what to do about what is wrong'],
    ['fairlead doctor --fix', 'brings back apps that were stopped or changed by hand, frees full disks'],
    ['fairlead doctor --json', 'the same for a program; exit code 1 when something is wrong'],
  ])
}

async function doctor(session: Session, { fix = false }: { readonly fix?: boolean }): Promise<number> {
  const { printer } = session
  const found = await examine(session)
  const mended = fix ? await mend(session, found) : []
  const checks = mended.length > 0 ? await examine(session) : found
  const wrong = checks.filter(check => check.mend !== null)
  printer.answer({ healthy: wrong.length === 0, checks, ...(fix ? { mended } : {}) })
  for (const check of checks) {
    say(session, check)
  }
  for (const { where, what, problem } of mended) {
    printer.line(problem === null ? `MENDED ${where}: ${what}` : `NOT MENDED ${where}: ${what}: ${problem}`)
  }
  const end = wrong.length === 0 ? 'Nothing is wrong.' : `${wrong.length} of ${checks.length} are not well.`
  printer.line(end)
  return wrong.length === 0 ? EXIT.ok : EXIT.failed
}

function say({ printer }: Session, { where, name, detail, mend, advice }: Checked): void {
  const { colour } = printer
  const well = advice === undefined ? colour.green('ok   ') : colour.yellow('WARN ')
  printer.line(`${mend === null ? well : colour.red('WRONG')} ${where} ${name}: ${detail}`)
  for (const text of [mend, advice].filter(text => typeof text === 'string')) {
    printer.line(`      ${text}`)
  }
}
