import type { Command } from 'commander'
import { chooseApp } from '#cli/choose-app.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { planLines } from '#cli/plan-lines.ts'
import type { Session } from '#cli/session.ts'
import type { PlanDocument } from '#contract/rest/plans.ts'

export function configurePlan(command: Command, act: Act): void {
  command
    .argument('[app]', 'which app; needed when there are several')
    .option('--commit <id>', 'the full id of a commit; default: the newest of the branch')
    .option('--version <text>', 'of the artefact that the app makes; default: as its deploy file says')
    .action(act(plan))
  withExamples(command, [
    ['fairlead plan shop', 'what a deployment would do now'],
    ['fairlead plan shop --json', 'with every command, secrets replaced'],
  ])
}

async function plan(
  { client, printer }: Session,
  named: string | undefined,
  { commit: wanted, version }: { readonly commit?: string; readonly version?: string },
): Promise<void> {
  const app = await chooseApp(client, named)
  const body = {
    ...(wanted === undefined ? {} : { commit: wanted }),
    ...(version === undefined ? {} : { version }),
  }
  const made = await client.send<PlanDocument>('POST', `/apps/${app}/plan`, body)
  printer.answer(made)
  const { commit, commit_subject: subject, hash, nothing_to_do: nothingToDo, changes } = made
  planLines({ app, commit, subject, hash, nothingToDo, changes }, printer.colour).forEach(printer.line)
}
