import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { asFairleadError } from '#lib/errors.ts'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import type { Act } from './command.ts'
import { COMMANDS } from './commands/index.ts'
import { readCliConfig } from './config.ts'
import { USAGE } from './errors.ts'
import { EXIT, EXIT_CODES_TEXT, exitCodeOf } from './exit-codes.ts'
import { createPrinter } from './print.ts'
import { refuseUnknownSettings } from './refuse-settings.ts'
import { type GlobalOptions, openSession, programOf } from './session.ts'

/** Runs one command line (without `node main.ts`) and gives the exit code. */
export async function runCli(words: readonly string[]): Promise<number> {
  const json = words.includes('--json')
  const program = createProgram(words)
  // What commander has to say about a wrong call belongs into the answer when a program reads it.
  program.configureOutput(json ? { writeErr: () => {} } : {})
  const ended = { code: EXIT.ok as number }
  for (const { name, summary } of COMMANDS) {
    program.command(name).description(summary)
  }
  program.hook('preSubcommand', async (parent, command) => {
    const entry = parent === program && COMMANDS.find(({ name }) => name === command.name())
    if (entry) {
      ;(await entry.load())(command, actOf(program, ended))
    }
  })
  try {
    await program.parseAsync(words, { from: 'user' })
    return ended.code
  } catch (error) {
    return endBadly(error, json)
  }
}

/** What every command has, without any command. */
export function createProgram(words: readonly string[]): Command {
  // A command may have a --version of its own, which commander would take for this one.
  const isNamed = words.some(word => COMMANDS.some(({ name }) => name === word))
  return new Command('fairlead')
    .description('Takes a Git push to a running, reachable, verified workload on your own machines.')
    .version(readVersion(), isNamed ? '-V' : '-V, --version')
    .option('--json', 'answer as JSON')
    .option('--manager <url>', 'address of the manager (FAIRLEAD_MANAGER)')
    .option(
      '--token-file <file>',
      'file with the token (FAIRLEAD_TOKEN_FILE, or the token in FAIRLEAD_TOKEN)',
    )
    .option('--data <folder>', 'where everything of this machine is kept (FAIRLEAD_DATA)')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .helpCommand('help [command]', 'help for one command')
    .showHelpAfterError('(--help shows how it is used)')
    .addHelpText(
      'after',
      `\n${EXIT_CODES_TEXT}\n\nStart with "fairlead demo", or "fairlead up" on a machine of your own.`,
    )
    .exitOverride()
}

function actOf(program: Command, ended: { code: number }): Act {
  return work =>
    async (...args) => {
      const session = openSession(program.opts<GlobalOptions>())
      try {
        refuseUnknownSettings(session.config.environment)
        const code = await work(session, ...args)
        ended.code = typeof code === 'number' ? code : EXIT.ok
      } catch (error) {
        if (session.signal.aborted) {
          ended.code = EXIT.failed
          return
        }
        session.printer.error(error)
        ended.code = exitCodeOf(asFairleadError(error))
      }
    }
}

/** Commander throws for everything that ends it early, help and version included. */
function endBadly(error: unknown, json: boolean): number {
  if (!(error instanceof CommanderError)) {
    throw error
  }
  const wanted = ['commander.help', 'commander.helpDisplayed', 'commander.version'].includes(error.code)
  if (!wanted && json) {
    createPrinter({ json, program: programOf(readCliConfig()) }).error(
      USAGE(error.message.replace(/^error: /, '')),
    )
  }
  return wanted && error.exitCode === 0 ? EXIT.ok : EXIT.usage
}

function readVersion(): string {
  const text = readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
