import { createInterface } from 'node:readline/promises'

/** One line that may be seen; undefined where nobody can be asked. */
export async function askText(question: string, signal: AbortSignal): Promise<string | undefined> {
  if (process.stdin.isTTY !== true) {
    return undefined
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return (await lines.question(question, { signal })).trim()
  } finally {
    lines.close()
  }
}
