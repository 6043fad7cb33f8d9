import { createInterface } from 'node:readline/promises'

/** Asks a question on the terminal; anything but "y" or "yes" means no, and so does the absence of a terminal. */
export async function ask(question: string, signal: AbortSignal): Promise<boolean> {
  if (process.stdin.isTTY !== true) {
    return false
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal })
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
  }
}
