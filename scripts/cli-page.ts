import { Command } from 'commander'
import { COMMANDS } from '#cli/commands/index.ts'
import { createProgram } from '#cli/run-cli.ts'

/** The reference of the command line, from what the commands themselves say. */
export async function cliPage(): Promise<string> {
  const sections = await Promise.all(
    COMMANDS.map(async ({ name, summary, load }) => {
      const command = new Command(name).description(summary)
      const configure = await load()
      configure(command, () => async () => undefined)
      return [`## fairlead ${name}`, '', `${sentence(summary)}`, '', ...describe(command, `fairlead ${name}`)]
    }),
  )
  return [
    '# Command line',
    '',
    '`fairlead help <command>` shows the same, with examples. What every command has:',
    '',
    ...optionLines(createProgram([])),
    '',
    'Variables that stand for options are in [running.md](running.md#commands-that-talk-to-a-manager); answers with `--json` have the shapes of the [REST API](api.md).',
    '',
    ...sections.flat(),
  ].join('\n')
}

function describe(command: Command, path: string): string[] {
  const own = [
    ...(command.commands.length > 0 && command.registeredArguments.length === 0
      ? []
      : [`\`${path} ${usageOf(command)}\``.replace(/ +`$/, '`'), '']),
    ...command.registeredArguments.flatMap(argument =>
      argument.description === '' ? [] : [`- \`${argument.name()}\`: ${plain(argument.description)}`],
    ),
    ...optionLines(command),
  ]
  const inner = command.commands.flatMap(each => [
    `### ${path} ${each.name()}`,
    '',
    `${sentence(each.description())}`,
    '',
    ...describe(each, `${path} ${each.name()}`),
  ])
  return [...own, ...(own.length > 0 && own.at(-1) !== '' ? [''] : []), ...inner]
}

function usageOf(command: Command): string {
  const words = command.registeredArguments.map(argument => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`
    return argument.required ? `<${name}>` : `[${name}]`
  })
  return [...words, ...(command.options.length > 0 ? ['[options]'] : [])].join(' ')
}

function optionLines(command: Command): string[] {
  return command.options
    .filter(({ hidden }) => !hidden)
    .map(({ flags, description }) => `- \`${flags}\`${description === '' ? '' : `: ${plain(description)}`}`)
}

function sentence(text: string): string {
  return text === '' ? '' : plain(`${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`)
}

/** What stands for a word is no HTML. */
function plain(text: string): string {
  return text.replaceAll('<', '\\<')
}
