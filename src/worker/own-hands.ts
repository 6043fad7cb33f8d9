import type { Hands, HostFacts } from '#commands/command.ts'
import type { Perform } from '#exec/call.ts'
import type { CallContext } from '#exec/call-context.ts'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import { createRedactor } from '#lib/redact.ts'

export interface OwnHandsOptions {
  readonly host: HostFacts
  readonly clock: Clock
  readonly logger: Logger
  /** Ends when the worker does. */
  readonly signal: AbortSignal
  readonly createPerform: (parts: Pick<CallContext, 'clock' | 'say' | 'redactor' | 'signal'>) => Perform
}

/** For what a worker does without being told: hands as a command has them, whose lines go into the worker's log. */
export function ownHands({ host, clock, logger, signal, createPerform }: OwnHandsOptions): Hands {
  const redactor = createRedactor()
  const say = (text: string) => logger.info('worker.says', { text: redactor.text(text) })
  const performUntil = (until: AbortSignal) => createPerform({ clock, say, redactor, signal: until })
  return { id: 'worker', perform: performUntil(signal), performUntil, say, signal, clock, host }
}
