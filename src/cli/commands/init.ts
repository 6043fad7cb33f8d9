import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { readDeployFolder } from '#cli/deploy-folder.ts'
import { FILE_EXISTS, NOTHING_FOUND } from '#cli/errors.ts'
import type { Session } from '#cli/session.ts'
import { suggestDeployFile } from '#cli/suggest-deploy-file.ts'
import { deployFilesIn } from '#deploy-file/read-apps.ts'

const NAME = 'fairlead.yaml'

interface Options {
  readonly force?: boolean
  readonly print?: boolean
}

export function configureInit(command: Command, act: Act): void {
  command
    .argument('[folder]', 'a checkout', '.')
    .option('--force', `write ${NAME} even if one is there`)
    .option('--print', 'show it instead of writing it')
    .action(act(init))
  withExamples(command, [
    ['fairlead init', `looks at this folder and writes ${NAME}`],
    ['fairlead init shop --print', 'only shows what it would write'],
  ])
}

async function init({ printer }: Session, path: string, options: Options): Promise<void> {
  const folder = readDeployFolder(path)
  const text = suggestDeployFile(folder)
  if (text === undefined) {
    throw NOTHING_FOUND(path)
  }
  const file = join(path, NAME)
  if (options.print === true) {
    printer.answer({ file, text })
    printer.line(text.trimEnd())
    return
  }
  const present = deployFilesIn(folder.paths)[0]
  if ((present !== undefined || existsSync(file)) && options.force !== true) {
    throw FILE_EXISTS(join(path, present ?? NAME))
  }
  writeFileSync(file, text)
  printer.answer({ file, text })
  printer.line(`${file} is written. Read it, try it with "fairlead check", then push it.`)
}
