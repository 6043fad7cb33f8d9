import type { Command } from 'commander'
import { chooseApp } from '#cli/choose-app.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { inertLine } from '#cli/inert.ts'
import type { Printer } from '#cli/print.ts'
import type { Session } from '#cli/session.ts'
import type { PlanDocument } from '#contract/rest/apps.ts'

export function configurePlan(command: Command, act: Act): void {
  command
    .argument('[app]', 'which app; needed when there are several')
    .option('--commit <id>', 'the full id of a commit; default: the newest of the branch')
    .action(act(plan))
  withExamples(command, [
    ['fairlead plan shop', 'what a deployment would do now'],
    ['fairlead plan shop --json', 'with every command, secrets replaced'],
  ])
}

async function plan(
  { client, printer }: Session,
  named: string | undefined,
  options: { readonly commit?: string },
): Promise<void> {
  const app = await chooseApp(client, named)
  const body = options.commit === undefined ? {} : { commit: options.commit }
  const made = await client.send<PlanDocument>('POST', `/apps/${app}/plan`, body)
  printer.answer(made)
  printPlan(printer, app, made)
}

/** A plan in words: one line for each thing that changes. */
export function printPlan(printer: Printer, app: string, made: PlanDocument): void {
  const { colour } = printer
  const subject = inertLine(made.commit_subject, 60)
  printer.line(`${colour.bold(app)} at ${made.commit.slice(0, 12)} ${subject}`)
  if (made.nothing_to_do) {
    printer.line('  Nothing to do: what runs is what is wanted.')
  }
  for (const { kind, what, why } of made.changes) {
    const reason = why === undefined ? '' : colour.dim(`  ${inertLine(why)}`)
    printer.line(`  ${colourOf(printer, kind)(wordFor(kind).padEnd(14))} ${inertLine(what)}${reason}`)
  }
  printer.line(colour.dim(`  plan ${made.hash.slice(0, 16)}`))
}

function wordFor(kind: string): string {
  return inertLine(kind).replaceAll('-', ' ')
}

function colourOf({ colour }: Printer, kind: string): (text: string) => string {
  switch (kind) {
    case 'add':
    case 'open':
    case 'route':
      return colour.green
    case 'remove':
    case 'close':
    case 'delete-volume':
      return colour.red
    case 'untouched':
      return colour.dim
    default:
      return colour.yellow
  }
}
