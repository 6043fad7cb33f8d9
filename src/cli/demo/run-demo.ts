import type { CredentialOptions } from '#cli/credential.ts'
import { DEMO_FAILED } from '#cli/errors.ts'
import { EXIT } from '#cli/exit-codes.ts'
import type { Session } from '#cli/session.ts'
import { asFairleadError } from '#lib/errors.ts'
import { type DemoResult, EXAMPLE_APPS, showExamples } from './show-examples.ts'
import { showOwnRepository } from './show-own-repository.ts'
import { tellWhatNext } from './tell-what-next.ts'
import { openWorld } from './world.ts'

export interface DemoOptions extends CredentialOptions {
  /** Git URL or local checkout; default: the examples. */
  readonly repository?: string | undefined
  readonly branch?: string
  readonly afterwards: 'stay' | 'exit'
}

const PART_WIDTH = 11

/** The whole way on this machine, from a push to the switch to another version; gives the exit code. */
export async function runDemo(session: Session, options: DemoOptions): Promise<number> {
  const { printer } = session
  const { colour } = printer
  printer.line(colour.bold('\nFairlead demo: from a push to a running app, all on this machine\n'))
  const result = await inWorld(session, options).catch(error => failedResult(session, error, options))
  if (options.afterwards === 'exit') {
    // Standard output, even with --json: the last line is for programs.
    process.stdout.write(`${JSON.stringify(result)}\n`)
  }
  return result.ok ? EXIT.ok : EXIT.failed
}

/** With --exit the last line is there whatever happened. */
function failedResult(session: Session, thrown: unknown, { afterwards }: DemoOptions): DemoResult {
  if (afterwards === 'stay' || session.signal.aborted) {
    throw thrown
  }
  session.printer.error(thrown)
  return {
    ok: false,
    url: null,
    commit: null,
    digest: null,
    first_deploy_ms: null,
    second_deploy_ms: null,
    failed_requests: null,
    problem: asFairleadError(thrown).message,
  }
}

async function inWorld(session: Session, options: DemoOptions): Promise<DemoResult> {
  const { printer } = session
  const { colour } = printer
  const world = await openWorld(session, {
    apps: options.repository === undefined ? EXAMPLE_APPS : [],
    tell: (part, what) => printer.line(`  ${colour.green('✔')} ${part.padEnd(PART_WIDTH)} ${what}`),
  })
  try {
    const here: Session = { ...session, client: world.together.client }
    const { repository } = options
    const result =
      repository === undefined
        ? await showExamples(here, world)
        : await showOwnRepository(here, world, { ...options, repository })
    if (options.afterwards === 'stay') {
      await tellWhatNext(here, world, result)
    }
    if (!result.ok) {
      printer.error(DEMO_FAILED(result.problem ?? 'see above'))
    }
    return result
  } finally {
    printer.line(colour.dim('\nCleaning up: apps, containers, images, network, processes, temporary files'))
    await world[Symbol.asyncDispose]()
  }
}
