import { type Clock, systemClock } from '#lib/clock.ts'
import { type Client, createClient } from './client.ts'
import { type CliConfig, readCliConfig } from './config.ts'
import { createPrinter, type Printer } from './print.ts'
import { programName } from './program-name.ts'

/** What a command works with. */
export interface Session {
  readonly config: CliConfig
  readonly printer: Printer
  /** Made at its first use: many commands need no manager. */
  readonly client: Client
  readonly clock: Clock
  /** Aborted by Ctrl-C or SIGTERM; a second one ends the process at once. */
  readonly signal: AbortSignal
}

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean
  readonly manager?: string
  readonly tokenFile?: string
  readonly data?: string
}

export function openSession(options: GlobalOptions): Session {
  const config = readCliConfig(options)
  let client: Client | undefined
  return {
    config,
    printer: createPrinter({
      json: options.json === true,
      program: programOf(config),
      ci: config.ci?.system,
    }),
    get client() {
      client ??= createClient(config)
      return client
    },
    clock: systemClock,
    signal: interruption(),
  }
}

/** How the program was called. */
export function programOf({ environment }: CliConfig): string {
  return programName(environment, process.cwd())
}

/** npm sends on the signal that a terminal sends to everybody: two so soon after each other are one Ctrl-C. */
const ECHO_MS = 1_000

/** The second signal ends the process whatever it does. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  let first: number | undefined
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      const now = systemClock.monotonic()
      first ??= now
      controller.abort(signal)
      if (now - first > ECHO_MS) {
        process.removeAllListeners(signal)
        process.kill(process.pid, signal)
      }
    })
  }
  return controller.signal
}
