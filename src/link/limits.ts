/** Bounds of a session between manager and agent, the same on both sides. Times in ms, sizes in bytes. */
export const PING_EVERY_MS = 10_000
/** Without any sign of life for this long a session is dead (two missed pings). */
export const DEAD_AFTER_MS = 25_000
/** A refused second manager makes the agent ask its live one; no answer within this ends the live session. */
export const PROBE_MS = 3_000
export const AUTH_DEADLINE_MS = 3_000
/** Upgraded sockets that have not proven themselves yet. */
export const MAX_UNPROVEN = 8
/** Connections that have not even finished TLS; above it the oldest makes room, so silence cannot lock a manager out. */
export const MAX_RAW = 64

/** Log bytes of one command that may be on the way without an ack. */
export const COMMAND_WINDOW_BYTES = 1024 * 1024
export const SESSION_WINDOW_BYTES = 4 * 1024 * 1024
/** Above this many bytes waiting in a socket nothing more is written to it. */
export const MAX_BUFFERED_BYTES = 4 * 1024 * 1024
/** Log lines travel when this much or this long has gathered. */
export const BATCH_BYTES = 64 * 1024
export const BATCH_MS = 50
/** A longer line is cut into several. */
export const MAX_LINE_CHARACTERS = 16 * 1024

/** A running command shows at least this often that it is at work. */
export const ALIVE_EVERY_MS = 15_000
/** Bad frames after which the agent hangs up. */
export const MAX_STRIKES = 5
/** Commands at work on one agent at once. */
export const MAX_INFLIGHT = 64
export const MAX_DEPTH = 16
/** What one side of a talk may have sent without the other having taken it, and the most of it in one frame. */
export const TALK_WINDOW_BYTES = 256 * 1024
export const TALK_PIECE_BYTES = 48 * 1024
