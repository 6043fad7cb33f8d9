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
/** Twice as long as it takes to poll a repository whose webhook was lost. */
const BEGINS_WITHIN_MS = 10 * 60_000

export function configureResult(command: Command, act: Act): void {
  command
    .requiredOption('--repository <name>', 'as it is registered')
    .requiredOption('--commit <id>', 'the full id of the commit that was pushed')
    .option('-w, --wait', 'until all deployments of the commit have ended, or wait for a person')
    .option(
      '--timeout <duration>',
      'with --wait: how long, such as 20m; default: until all have ended, and 10m until one has begun',
      readTimeout,
    )
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
  const why = WHY[found.state]
  if (why !== undefined) {
    printer.note(why)
  }
  return EXIT_OF[found.state]
}

const EXIT_OF = {
  none: EXIT.notEnded,
  running: EXIT.notEnded,
  waiting: EXIT.waiting,
  succeeded: EXIT.ok,
  failed: EXIT.failed,
  superseded: EXIT.stopped,
} as const

const WHY: Partial<Readonly<Record<CommitResult['state'], string>>> = {
  none: 'Nothing was deployed from this commit: its push was not seen yet, or a newer one came before it was read.',
  waiting: 'A person is to approve a deployment, or to resume an app that is paused: see "fairlead status".',
  superseded: 'Newer commits took over before it was deployed.',
}

/**
 * A commit that nobody has deployed yet may be on its way, with its webhook or the next poll; or it never will be,
 * because the branch had moved on when it was read.
 */
async function ask(session: Session, { repository, commit, wait, timeout }: Options): Promise<CommitResult> {
  const { client, clock, signal } = session
  const path = `/repositories/${encodeURIComponent(repository)}/results/${encodeURIComponent(commit)}`
  const began = clock.monotonic()
  for (;;) {
    const found = await client.get<CommitResult>(path)
    if (wait !== true || EXIT_OF[found.state] !== EXIT.notEnded) {
      return found
    }
    const atMost = timeout ?? (found.state === 'none' ? BEGINS_WITHIN_MS : Number.POSITIVE_INFINITY)
    if (clock.monotonic() - began >= atMost) {
      return found
    }
    await clock.sleep(LOOK_AGAIN_MS, signal)
  }
}
