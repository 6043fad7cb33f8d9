import type { Talk } from '#link/talk.ts'
import type { OnLines } from './storing.ts'

/** Abort a follower's signal with this reason to stop listening without cancelling the command. */
export const LEAVE = 'shutdown'

export interface FollowOptions {
  readonly id: string
  /** The command as a frame; undefined for one that was told before. */
  readonly frame?: string | undefined
  /** The same for an agent that goes on with what one before it began; without it the command counts as lost then. */
  readonly again?: (() => string) | undefined
  /** Name for messages; the agent says it too. */
  readonly command?: string | undefined
  /** Last line that is stored here already. */
  readonly fromSeq: number
  readonly deadlineMs: number
  /** Longest time without a connection. */
  readonly waitMs: number
  /** Whoever tells it comes again with the same id: it goes on while the agent is away, also after AGENT_OFFLINE. */
  readonly comesBack?: boolean | undefined
  readonly onLines?: OnLines | undefined
  readonly signal?: AbortSignal | undefined
  /** With a command that talks. It is not followed beyond its connection. */
  readonly talk?: Talk | undefined
}
