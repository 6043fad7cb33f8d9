import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Session } from '#cli/session.ts'
import type { DemoResult } from './show-examples.ts'
import type { World } from './world.ts'

const PROGRAM = join(import.meta.dirname, '../../../bin/fairlead')

/** Says where everything is and what to try, then waits for Ctrl-C. */
export async function tellWhatNext(session: Session, world: World, result: DemoResult): Promise<void> {
  const { printer, signal } = session
  const { colour } = printer
  const { url, tokenFile } = world.together
  const work = join(world.folder, 'work')
  const lines = [
    '',
    colour.bold('It stays up until you press Ctrl-C, and leaves nothing behind then.'),
    '',
    `  App        ${result.url ?? '(no app has a domain)'}`,
    `  API        ${url}/api/v1/docs`,
    `  Token      ${readFileSync(tokenFile, 'utf8').trim()}`,
    '',
    'Try next, in another terminal:',
    '',
    `  export FAIRLEAD_MANAGER=${url} FAIRLEAD_TOKEN_FILE=${tokenFile}`,
    `  ${PROGRAM} status`,
    `  ${PROGRAM} logs -f hello`,
    `  ${PROGRAM} rollback hello --wait`,
    ...(existsSync(join(work, 'hello')) ? pushLines(work) : []),
    '',
  ]
  for (const line of lines) {
    printer.line(line)
  }
  if (!signal.aborted) {
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
  }
}

function pushLines(work: string): string[] {
  return [
    `  cd ${work}`,
    "  sed -i 's/second/third/' hello/site/index.html && git commit -qam 'Third version' && git push",
  ]
}
