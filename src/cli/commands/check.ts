import type { Command } from 'commander'
import { type CheckedFolder, checkFolder } from '#cli/check-folder.ts'
import { type CheckedNotebooks, checkNotebooks } from '#cli/check-notebooks.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { readDeployFolder } from '#cli/deploy-folder.ts'
import { FOLDER_NOT_VALID, NOTHING_FOUND } from '#cli/errors.ts'
import type { Printer } from '#cli/print.ts'
import { printNotebooks } from '#cli/print-notebooks.ts'
import type { Session } from '#cli/session.ts'

export function configureCheck(command: Command, act: Act): void {
  command.argument('[folder]', 'a checkout', '.').action(act(check))
  withExamples(command, [
    ['fairlead check', 'this folder'],
    ['fairlead check shop && git push', 'push only what is valid'],
    ['fairlead check --json', 'problems for a program'],
  ])
}

async function check({ printer }: Session, path: string): Promise<void> {
  const folder = readDeployFolder(path)
  const { apps, problems, source } = checkFolder(folder)
  const notebooks = checkNotebooks(folder)
  if (problems.length > 0) {
    if (apps.some(app => app.files)) {
      // One that is wrong does not harm the others, so they are worth knowing.
      printer.note(`valid: ${apps.map(app => `${app.name} (${app.target})`).join(', ')}`)
    }
    throw FOLDER_NOT_VALID(path, problems.length).with({ problems })
  }
  const hasNotebooks = notebooks.projects.length + notebooks.problems.length > 0
  if (apps.length === 0) {
    refuseNothing(path, notebooks)
  }
  printer.answer({ ok: true, source, apps, notebooks })
  if (apps.length > 0) {
    printApps(printer, path, { apps, source })
  }
  if (hasNotebooks) {
    printNotebooks(printer, notebooks)
  }
}

/** Notebook projects alone are something; beside apps, what is wrong with them is only told. */
function refuseNothing(path: string, { projects, problems }: CheckedNotebooks): void {
  if (problems.length > 0) {
    throw FOLDER_NOT_VALID(path, problems.length).with({ problems })
  }
  if (projects.length === 0) {
    throw NOTHING_FOUND(path)
  }
}

function printApps(
  printer: Printer,
  path: string,
  { apps, source }: Pick<CheckedFolder, 'apps' | 'source'>,
): void {
  const hasFiles = apps.some(app => app.files)
  const how = source === 'convention' ? 'by the names of its files' : 'as its deploy file says'
  printer.line(`${printer.colour.green('✔')} ${path} is valid, ${how}:`)
  printer.table(
    ['app', 'target', ...(hasFiles ? ['from'] : [])],
    apps.map(app => [app.name, app.target, ...(hasFiles ? [app.files?.paths.join(', ') ?? ''] : [])]),
  )
}
