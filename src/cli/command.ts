import type { Command } from 'commander'
import type { Session } from './session.ts'

/** One entry of the registry: enough for --help; the rest is loaded when the command is called. */
export interface CliCommand {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<Configure>
}

/** Gives a command its arguments, options, examples and action. */
export type Configure = (command: Command, act: Act) => void

/** Makes an action for commander of a function that gets the session first; a number it gives is the exit code. */
export type Act = <A extends unknown[]>(
  work: (session: Session, ...args: A) => Promise<unknown>,
) => (...args: A) => Promise<void>

/** Examples below a command's help: what to type, and what that does. */
export function withExamples(command: Command, examples: readonly (readonly [string, string])[]): Command {
  const width = Math.max(...examples.map(([typed]) => typed.length))
  const lines = examples.map(([typed, does]) => `  $ ${typed.padEnd(width)}   ${does}`)
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
}
