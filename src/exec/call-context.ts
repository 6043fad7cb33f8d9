import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import type { Redactor } from '#lib/redact.ts'
import type { Outliving } from './outliving.ts'
import type { RemoteEngines } from './remote-engines.ts'

/** What performing a call needs from whoever asked for it. */
export interface CallContext {
  readonly clock: Clock
  /** Takes each line of live output, redacted, otherwise as the program wrote it: whoever shows it makes it inert. */
  readonly say: Say
  readonly signal: AbortSignal
  /** Learns every Secret of a call before the call is performed. */
  readonly redactor: Redactor
  readonly log?: Logger
  /** From SIGTERM to SIGKILL. Default 5 s. */
  readonly graceMs?: number
  /** Where temporary files are made (the worker's own, on a disk in memory). Default: the system's. */
  readonly temporary?: string
  /** File calls stay below it and follow no symbolic link there. Default: any path. */
  readonly workspace?: string
  /** Folders that programs are looked for in. Default SEARCH_PATH. */
  readonly searchPath?: string
  /** Default: every program ends with its worker. */
  readonly outliving?: Outliving | undefined
  /** Engines behind TLS that calls may go to. Default: none. */
  readonly engines?: RemoteEngines | undefined
}

export type Say = (text: string, stream?: 'stdout' | 'stderr' | 'info') => void
