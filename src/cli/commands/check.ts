import type { Command } from 'commander'
import { checkFolder } from '#cli/check-folder.ts'
import { type Act, withExamples } from '#cli/command.ts'
import { readDeployFolder } from '#cli/deploy-folder.ts'
import { FOLDER_NOT_VALID, NOTHING_FOUND } from '#cli/errors.ts'
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
  const hasFiles = apps.some(app => app.files)
  if (problems.length > 0) {
    if (hasFiles) {
      // One that is wrong does not harm the others, so they are worth knowing.
      printer.note(`valid: ${apps.map(app => `${app.name} (${app.target})`).join(', ')}`)
    }
    throw FOLDER_NOT_VALID(path, problems.length).with({ problems })
  }
  if (apps.length === 0) {
    throw NOTHING_FOUND(path)
  }
  printer.answer({ ok: true, source, apps })
  const how = source === 'convention' ? 'by the names of its files' : 'as its deploy file says'
  printer.line(`${printer.colour.green('✔')} ${path} is valid, ${how}:`)
  printer.table(
    ['app', 'target', ...(hasFiles ? ['from'] : [])],
    apps.map(app => [app.name, app.target, ...(hasFiles ? [app.files?.paths.join(', ') ?? ''] : [])]),
  )
}
