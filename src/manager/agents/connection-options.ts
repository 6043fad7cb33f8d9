import type { Command } from '#commands/command.ts'
import type { Clock } from '#lib/clock.ts'
import type { FairleadError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { HeartbeatOptions } from '#link/heartbeat.ts'
import type { Identity } from '#link/identity.ts'
import type { Pin } from '#link/public-identity.ts'
import type { HostKey } from '#manager/hosts/changed-key.ts'
import type { AgentFacts } from './agent-link.ts'
import type { PinChange } from './agent-pins.ts'

export interface ConnectionOptions {
  /** host:port */
  readonly address: string
  readonly identity: Identity
  /** While this manager's own key changes. */
  readonly key?: HostKey | undefined
  readonly pin: Pin
  /** Its next key, when it is known already. */
  readonly successor?: Pin | undefined
  /** Keeps the pin with a new certificate of the agent, or another key, durably. */
  readonly savePin?: (pin: Pin, change: PinChange) => Promise<void> | void
  /** Fencing counter: one number per start of a manager, higher than any before. */
  readonly epoch: () => number | Promise<number>
  /** The commands that may be told: their results are checked. */
  readonly commands: readonly Command[]
  readonly clock: Clock
  readonly logger: Logger
  /** Hears of what the agent sends that makes no sense, a few times for each connection. */
  readonly onOdd?: (why: string) => void
  readonly heartbeat?: Omit<HeartbeatOptions, 'clock'>
}

export interface AgentState {
  readonly status: 'connecting' | 'connected' | 'closed'
  /** ms since 1970 of the last change of status. */
  readonly since: number
  readonly agent?: AgentFacts | undefined
  /** Why it is not connected, or was not before. */
  readonly lastError?: FairleadError | undefined
  /** Tries since it was last connected. */
  readonly attempts: number
}
