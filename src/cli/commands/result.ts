import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { readTimeout } from '#cli/duration.ts'
import { EXIT } from '#cli/exit-codes.ts'
import { inertLine } from '#cli/inert.ts'
import type { Session } from '#cli/session.ts'
import type { CommitResult } from '#contract/rest/result.ts'

interface Options {
  readonly repository: string
  readonly commit: string
  readonly wait?: boolean
  readonly timeout?: number
  readonly result?: string
}

const LOOK_AGAIN_MS = 1_000

export function configureResult(command: Command, act: Act): void {
  command
    .requiredOption('--repository <name>', 'as it is registered')
    .requiredOption('--commit <id>', 'the full id of the commit that was pushed')
    .option('-w, --wait', 'until all deployments of the commit have ended')
    .option('--timeout <duration>', 'with --wait: how long, such as 20m', readTimeout)
    .option('--result <file>', 'write it into this file, for the artifacts of a CI job')
    .action(act(showResult))
  withExamples(command, [
    ['fairlead result --repository infra --commit 3f2a… --wait', 'exit code 1 when one app failed'],
    ['fairlead result --repository infra --commit 3f2a… --result result.json', 'as a file'],
  ])
}

async function showResult(session: Session, options: Options): Promise<number> {
  const { printer } = session
  const found = await ask(session, options)
  if (options.result !== undefined) {
    writeFileSync(options.result, `${JSON.stringify(found.result, null, 2)}\n`)
    printer.note(printer.colour.dim(`written: ${options.result}`))
  }
  printer.answer(found)
  for (const [app, entries] of Object.entries(found.result)) {
    printer.line(app)
    for (const [kind, text] of entries.flatMap(entry => Object.entries(entry))) {
      printer.line(`  ${kind}: ${inertLine(String(text), 300)}`)
    }
  }
  printer.line(`${options.repository} at commit ${options.commit.slice(0, 12)}: ${found.state}`)
  if (found.state === 'running' || found.state === 'none') {
    return EXIT.notEnded
  }
  return found.state === 'succeeded' ? EXIT.ok : EXIT.failed
}

/** A commit that nobody has deployed yet may be on its way: its webhook, or the next poll. */
async function ask(session: Session, { repository, commit, wait, timeout }: Options): Promise<CommitResult> {
  const { client, clock, signal } = session
  const path = `/repositories/${encodeURIComponent(repository)}/results/${encodeURIComponent(commit)}`
  const began = clock.monotonic()
  for (;;) {
    const found = await client.get<CommitResult>(path)
    if (wait !== true || found.state === 'succeeded' || found.state === 'failed') {
      return found
    }
    if (timeout !== undefined && clock.monotonic() - began >= timeout) {
      return found
    }
    await clock.sleep(LOOK_AGAIN_MS, signal)
  }
}
