import { Command } from 'commander'
import type { Configure } from './command.ts'
import type { Session } from './session.ts'

/** What a command ends with when it is called with these words; its session has only what the test gives it. */
export async function callCommand(
  configure: Configure,
  { session, words }: { readonly session: unknown; readonly words: readonly string[] },
): Promise<unknown> {
  let code: unknown
  const command = new Command()
  configure(command, work => async (...args) => {
    code = await work(session as Session, ...args)
  })
  await command.parseAsync(words, { from: 'user' })
  return code
}

export const SILENT = {
  colour: { dim: (text: string) => text, yellow: (text: string) => text },
  answer: () => {},
  line: () => {},
  note: () => {},
}
