import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'

/** A secret value: typed without being shown on a terminal, else everything on standard input without its last line end. */
export async function askHidden(question: string): Promise<string> {
  if (process.stdin.isTTY !== true) {
    return (await text(process.stdin)).replace(/\n$/, '')
  }
  process.stderr.write(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  const [line] = (await once(lines, 'line')) as [string]
  lines.close()
  process.stderr.write('\n')
  return line
}
