import type { ToldPolicy } from '#contract/told-policy.ts'
import type { Clock } from '#lib/clock.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { VisitorPorts } from '#lib/visit-origin.ts'
import { PINS_DAMAGED } from '#link/errors.ts'
import type { Identity } from '#link/identity.ts'
import type { PinFile } from '#link/pin-file.ts'
import type { Journal } from './journal.ts'
import type { Obey } from './obey.ts'
import { watchPeers } from './peers.ts'
import { AgentServer } from './serve.ts'

export interface AgentOptions {
  readonly role: 'worker' | 'guardian'
  readonly identity: Identity
  readonly peers: PinFile
  readonly listen: { readonly host: string; readonly port: number }
  readonly build: string
  readonly visitors?: VisitorPorts | undefined
  /** By which files are judged; absent: a guardian. */
  readonly policy?: ToldPolicy | undefined
  readonly journal: Journal
  readonly obey: Obey
  readonly clock: Clock
  readonly logger: Logger
  /** The agent cannot go on, for example because its last manager was revoked. */
  readonly onEnd: (error: FairleadError) => void
  /** Everything that it needs, closed last. */
  readonly opened: AsyncDisposableStack
}

export interface Agent {
  readonly port: number
  /** Reads the pinned managers again. */
  reload(): void
  /** Interrupts what is at work, then hangs up. */
  close(): Promise<void>
}

/** Lets an agent listen whose parts are all open. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { role, peers, clock, logger, obey, onEnd, opened } = options
  const server = await AgentServer.start(options)

  function reload(): void {
    try {
      server.reload()
      logger.info(`${role}.peers-read`, { peers: peers.peers.length })
    } catch (error) {
      if (PINS_DAMAGED.matches(error)) {
        logger.error(`${role}.peers-unreadable`, { reason: error.message })
        return
      }
      onEnd(asFairleadError(error))
    }
  }

  const watching = watchPeers(peers, { clock, run: reload })
  const owned = opened.move()
  return {
    port: server.port,
    reload,
    async close() {
      watching.close()
      // What is at work is interrupted and says so before the socket is closed.
      await obey.close()
      await server.close()
      await owned.disposeAsync()
    },
  }
}
