import { Argument, Command } from 'commander'
import { type Act, type CliCommand, withExamples } from '#cli/command.ts'
import { type CommandWords, completionScript, SHELLS, type Shell } from '#cli/completion-script.ts'
import type { Session } from '#cli/session.ts'

/** Gets the other commands when it is called, because it is one of them itself. */
export function configureCompletion(
  commands: () => readonly CliCommand[],
): (command: Command, act: Act) => void {
  return (command, act) => {
    command.addArgument(new Argument('<shell>').choices(SHELLS)).action(
      act(async (session: Session, shell: Shell) => {
        const root = command.parent as Command
        const script = completionScript(shell, await wordsOf(root, commands()))
        session.printer.answer({ shell, script })
        session.printer.line(script)
      }),
    )
    withExamples(command, [
      ['source <(fairlead completion bash)', 'for this shell; put it into ~/.bashrc for all'],
      ['source <(fairlead completion zsh)', 'in ~/.zshrc'],
      ['fairlead completion fish > ~/.config/fish/completions/fairlead.fish', 'for good'],
    ])
  }
}

/** What may follow each command, from what the commands themselves say. */
async function wordsOf(root: Command, commands: readonly CliCommand[]): Promise<CommandWords[]> {
  const top = { path: '', words: [...commands.map(named), ...optionsOf(root)] }
  const below = await Promise.all(
    commands.map(async ({ name, load }) => {
      const command = new Command(name)
      const configure = await load()
      configure(command, () => async () => undefined)
      const inner = command.commands.map(each => ({ path: `${name} ${each.name()}`, words: optionsOf(each) }))
      const words = [
        ...command.commands.map(each => ({ word: each.name(), means: each.description() })),
        ...command.registeredArguments.flatMap(({ argChoices = [] }) =>
          argChoices.map(word => ({ word, means: '' })),
        ),
        ...optionsOf(command),
      ]
      return [{ path: name, words }, ...inner]
    }),
  )
  return [top, ...below.flat()]
}

function named({ name, summary }: CliCommand): { word: string; means: string } {
  return { word: name, means: summary }
}

function optionsOf(command: Command): { word: string; means: string }[] {
  const own = command.options.flatMap(({ long, description }) =>
    long ? [{ word: long, means: description }] : [],
  )
  return [...own, { word: '--help', means: 'how it is used' }]
}
