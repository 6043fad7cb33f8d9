import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import type { Session } from '#cli/session.ts'
import type { VisitDocument } from '#contract/rest/visits.ts'

interface Options {
  readonly to?: string
}

export function configureOpen(command: Command, act: Act): void {
  command
    .argument('<app>', 'which app')
    .option('--to <path>', 'which page of it, such as /lab/tree/analysis.ipynb')
    .action(act(open))
  withExamples(command, [['fairlead open churn', 'prints a link that works once, for five minutes']])
}

async function open({ client, printer }: Session, app: string, { to }: Options): Promise<number> {
  const path = `/apps/${encodeURIComponent(app)}/visits`
  const visit = await client.send<VisitDocument>('POST', path, to === undefined ? {} : { to })
  printer.answer(visit)
  printer.line(visit.url)
  printer.note('It works once, within five minutes; whoever follows it is let in for twelve hours.')
  return 0
}
