import type { AgentFrame, LogLine } from '#contract/agent-frames.ts'
import { check } from '#lib/check.ts'
import { asFairleadError, FairleadError } from '#lib/errors.ts'
import { COMMAND_CANCELLED, COMMAND_TIMED_OUT, UNKNOWN_COMMAND_ID } from '#link/errors.ts'
import { COMMAND_WINDOW_BYTES } from '#link/limits.ts'
import type { AgentLink } from './agent-link.ts'
import type { AgentConnection } from './connection.ts'
import { BAD_ANSWER, COMMAND_LEFT, COMMAND_LOST } from './errors.ts'

/** An agent ends its commands itself; this is for one that does not. */
const LATE_MS = 60_000
const AGENT_STOPPING = 'AGENT_STOPPING'

/** Abort a follower's signal with this reason to stop listening without cancelling the command. */
export const LEAVE = 'shutdown'

export interface FollowOptions {
  readonly id: string
  /** The command as a frame; undefined for one that was told before. */
  readonly frame?: string | undefined
  /** Name for messages; the agent says it too. */
  readonly command?: string | undefined
  /** Last line that is stored here already. */
  readonly fromSeq: number
  readonly deadlineMs: number
  /** Longest time without a connection. */
  readonly waitMs: number
  /** Stores lines; they are acknowledged when it resolves. `dropped`: so many before them are gone for good. */
  readonly onLines?: ((lines: readonly LogLine[], dropped: number) => Promise<void> | void) | undefined
  readonly signal?: AbortSignal | undefined
}

type Ended = { readonly seq: number } & ({ readonly data: unknown } | { readonly error: FairleadError })

/**
 * Follows one command over any number of connections:
 * told -> accepted -> (cut -> asked again)* -> ended. A command is told again only if no agent ever accepted it.
 */
export class Following {
  readonly #connection: AgentConnection
  readonly #options: FollowOptions
  #name: string
  #accepted: boolean
  #told = false
  #cancelled = false
  /** Last line received, and last line stored. */
  #received: number
  #stored: number
  #storing: Promise<void> = Promise.resolve()
  #unstoredBytes = 0
  #link: AgentLink | undefined
  /** How the current connection ended for this command: its end, or undefined for a cut. */
  #over = Promise.withResolvers<Ended | undefined>()

  constructor(connection: AgentConnection, options: FollowOptions) {
    this.#connection = connection
    this.#options = options
    this.#name = options.command ?? 'The command'
    this.#accepted = options.frame === undefined
    this.#received = options.fromSeq
    this.#stored = options.fromSeq
  }

  /** The checked result. Rejects with the command's own error, or why it could not be followed. */
  async run(): Promise<unknown> {
    const { id, signal, deadlineMs } = this.#options
    const { clock } = this.#connection
    const unlisten = this.#connection.listen(id, (link, frame, bytes) => this.#heard(link, frame, bytes))
    const late = clock.after(deadlineMs + LATE_MS, () => this.#giveUp(deadlineMs))
    const onAbort = () => this.#aborted()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      return this.#resultOf(await this.#follow())
    } finally {
      late.close()
      signal?.removeEventListener('abort', onAbort)
      unlisten()
    }
  }

  async #follow(): Promise<Ended> {
    const { id, waitMs, signal } = this.#options
    for (;;) {
      // Cancelling needs the agent once it may have been told; before that nobody has to know.
      const link = await this.#connection
        .link({ waitMs, signal: this.#told ? undefined : signal })
        .catch(error => {
          throw signal?.aborted && !this.#told ? COMMAND_CANCELLED(this.#name) : error
        })
      const ended = await this.#on(link)
      await this.#storing
      if (ended) {
        link.send('ack', { id, seq: Math.max(ended.seq, this.#stored) })
        return ended
      }
    }
  }

  /** Tells or asks on this connection; gives the end, or undefined when the connection was cut first. */
  async #on(link: AgentLink): Promise<Ended | undefined> {
    const { id } = this.#options
    this.#link = link
    const over = Promise.withResolvers<Ended | undefined>()
    over.promise.catch(() => undefined)
    this.#over = over
    this.#received = this.#stored
    if (this.#told || this.#accepted) {
      link.send('resume', { id, fromSeq: this.#stored })
    } else {
      this.#tell(link)
    }
    if (this.#cancelled) {
      link.send('cancel', { id })
    }
    link.closed.then(
      () => over.resolve(undefined),
      () => over.resolve(undefined),
    )
    return await over.promise
  }

  #tell(link: AgentLink): void {
    this.#told = true
    link.sendText(this.#options.frame ?? '')
  }

  #heard(link: AgentLink, { command, data }: AgentFrame, bytes: number): void {
    if (link !== this.#link) {
      return
    }
    switch (command) {
      case 'accepted':
        this.#nowAccepted(link, data.command)
        return
      case 'progress':
        this.#lines(link, { ...data, bytes })
        return
      case 'result':
        this.#over.resolve({ seq: data.seq, data: data.data })
        return
      case 'error':
        this.#refused(link, { seq: data.seq ?? 0, error: new FairleadError(data.error) })
        return
      case 'alive':
        return
      default:
        this.#connection.flag(link, `${command} about a command`)
    }
  }

  #nowAccepted(link: AgentLink, command: string): void {
    const wanted = this.#options.command
    if (wanted !== undefined && command !== wanted) {
      this.#connection.flag(link, `accepted ${command} instead of ${wanted}`)
      return
    }
    this.#accepted = true
    this.#name = command
  }

  #lines(link: AgentLink, data: { lines: readonly LogLine[]; dropped?: number; bytes: number }): void {
    const fresh = data.lines.filter((line, index) => line.seq > this.#received + index)
    const last = fresh.at(-1)
    if (!last || fresh.length < data.lines.length || last.seq - (fresh[0]?.seq ?? 0) !== fresh.length - 1) {
      this.#connection.flag(link, 'lines in the wrong order')
      return
    }
    const dropped = (fresh[0]?.seq ?? 0) - this.#received - 1
    this.#received = last.seq
    this.#unstoredBytes += data.bytes
    if (this.#unstoredBytes > 2 * COMMAND_WINDOW_BYTES) {
      this.#connection.misbehaved(link, 'more lines than the window allows')
      return
    }
    this.#storing = this.#storing.then(() => this.#store(link, { lines: fresh, dropped, bytes: data.bytes }))
  }

  async #store(
    link: AgentLink,
    data: { lines: readonly LogLine[]; dropped: number; bytes: number },
  ): Promise<void> {
    const { id, onLines } = this.#options
    try {
      await onLines?.(data.lines, data.dropped)
      this.#stored = data.lines.at(-1)?.seq ?? this.#stored
      this.#unstoredBytes -= data.bytes
      link.send('ack', { id, seq: this.#stored })
    } catch (error) {
      link.send('leave', { id })
      this.#over.reject(asFairleadError(error))
    }
  }

  #refused(link: AgentLink, ended: { seq: number; error: FairleadError }): void {
    const { code } = ended.error
    if (code === UNKNOWN_COMMAND_ID.definition.code) {
      if (this.#accepted) {
        this.#over.reject(COMMAND_LOST(this.#name))
      } else {
        this.#tell(link)
      }
      return
    }
    if (code === AGENT_STOPPING && !this.#accepted) {
      // It hangs up soon and comes back; the command is told to it then.
      return
    }
    this.#over.resolve(ended)
  }

  #aborted(): void {
    const { id, signal } = this.#options
    if (signal?.reason === LEAVE) {
      this.#link?.send('leave', { id })
      this.#over.reject(COMMAND_LEFT(this.#name))
      return
    }
    this.#cancelled = true
    this.#link?.send('cancel', { id })
    this.#connection.clock.after(LATE_MS, () => this.#over.reject(COMMAND_CANCELLED(this.#name)))
  }

  #giveUp(deadlineMs: number): void {
    this.#link?.send('cancel', { id: this.#options.id })
    this.#link?.send('leave', { id: this.#options.id })
    this.#over.reject(COMMAND_TIMED_OUT(this.#name, Math.round(deadlineMs / 1000)))
  }

  #resultOf(ended: Ended): unknown {
    if ('error' in ended) {
      throw ended.error
    }
    const schema = this.#connection.resultOf(this.#name)
    if (!schema) {
      throw BAD_ANSWER(`The result of ${this.#name}`, 'this manager knows no such command')
    }
    return check(schema, ended.data, `The result of ${this.#name}`, BAD_ANSWER)
  }
}
