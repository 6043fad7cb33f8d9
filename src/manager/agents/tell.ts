import { type CommandOwner, MAX_FRAME_BYTES } from '#contract/agent-frames.ts'
import { encodeFrame } from '#link/frames.ts'
import { idemOf } from '#link/idem.ts'
import type { AgentConnection } from './connection.ts'
import { COMMAND_TOO_LARGE } from './errors.ts'
import type { FollowOptions } from './follow-options.ts'
import { Following } from './following.ts'

const WAIT_MS = 30_000
const LONGEST_MS = 24 * 3600 * 1000

interface Common extends Pick<FollowOptions, 'id' | 'onLines' | 'signal' | 'comesBack'> {
  /** Last log line that is stored already; default none. */
  readonly fromSeq?: number
  /** How long the agent may be away before this gives up with AGENT_OFFLINE; default 30 s. */
  readonly waitMs?: number
}

interface Told {
  readonly command: string
  readonly params: unknown
  /** Of the host; absent: its own. */
  readonly engine?: string | undefined
  /** For whom; absent: for nobody in particular. */
  readonly owner?: CommandOwner | undefined
}

export interface TellOptions extends Common, Told, Pick<FollowOptions, 'talk'> {
  /** ms from its acceptance after which the agent ends the command. */
  readonly deadlineMs: number
}

export interface ResumeOptions extends Common {
  /** ms after which nobody waits any more; default a day, the agent keeps the command's own deadline. */
  readonly deadlineMs?: number
  /** The command as it was told: an agent that was restarted may go on with it, and lacks its data. */
  readonly again?: () => Told
}

/**
 * Tells an agent one command, stores its lines and gives its checked result, through any number of disconnections.
 * Rejects with the agent's error, AGENT_OFFLINE, COMMAND_LOST or COMMAND_INTERRUPTED (look at the host before trying
 * again), COMMAND_CANCELLED, COMMAND_TIMED_OUT. The id makes it happen at most once, however often it is told.
 */
export async function tell(connection: AgentConnection, options: TellOptions): Promise<unknown> {
  const { id, command, deadlineMs } = options
  const frame = frameOf(options, id, deadlineMs)
  const bytes = Buffer.byteLength(frame)
  if (bytes > MAX_FRAME_BYTES) {
    throw COMMAND_TOO_LARGE(command, bytes)
  }
  return await new Following(connection, {
    fromSeq: 0,
    waitMs: WAIT_MS,
    ...options,
    frame,
    again: () => frame,
  }).run()
}

/** Follows a command that was told before a restart of the manager, from the line after `fromSeq`. Rejects like tell. */
export async function resumeCommand(connection: AgentConnection, options: ResumeOptions): Promise<unknown> {
  const { again } = options
  return await new Following(connection, {
    fromSeq: 0,
    waitMs: WAIT_MS,
    deadlineMs: LONGEST_MS,
    ...options,
    // The agent keeps the deadline that it was told first.
    again: again && (() => frameOf(again(), options.id, LONGEST_MS)),
  }).run()
}

function frameOf({ command, params, engine, owner }: Told, id: string, deadlineMs: number): string {
  const where = { ...(engine === undefined ? {} : { engine }), ...(owner ? { owner } : {}) }
  return encodeFrame(command, { id, deadlineMs, idem: idemOf(params, engine), params, ...where })
}
