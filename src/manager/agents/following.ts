import type { AgentFrame, LogLine } from '#contract/agent-frames.ts'
import { asFairleadError, FairleadError } from '#lib/errors.ts'
import { COMMAND_CANCELLED, COMMAND_TIMED_OUT, UNKNOWN_COMMAND_ID } from '#link/errors.ts'
import type { AgentLink } from './agent-link.ts'
import { checkedResult, type Ended } from './checked-result.ts'
import type { AgentConnection } from './connection.ts'
import { COMMAND_LEFT, COMMAND_LOST } from './errors.ts'
import { type FollowOptions, LEAVE } from './follow-options.ts'
import { Storing } from './storing.ts'
import { attachTalk, isTalk, refuseCut } from './talk-frames.ts'

/** An agent ends its commands itself; this is for one that does not. */
const LATE_MS = 30_000
const AGENT_STOPPING = 'AGENT_STOPPING'

type Accepted = Extract<AgentFrame, { command: 'accepted' }>['data']

/**
 * Follows one command over any number of connections:
 * told -> accepted -> (cut -> asked again)* -> ended. A command is told again only if no agent ever accepted it.
 */
export class Following {
  readonly #connection: AgentConnection
  readonly #options: FollowOptions
  readonly #storing: Storing
  #name: string
  #accepted: boolean
  #told = false
  #cancelled = false
  #link: AgentLink | undefined
  readonly #stop = new AbortController()
  /** How the current connection ended for this command: its end, or undefined for a cut. */
  #over = Promise.withResolvers<Ended | undefined>()

  constructor(connection: AgentConnection, options: FollowOptions) {
    this.#connection = connection
    this.#options = options
    this.#name = options.command ?? 'The command'
    this.#accepted = options.frame === undefined
    const { fromSeq, onLines } = options
    this.#storing = new Storing({ fromSeq, onLines, onFailure: error => this.#leave(asFairleadError(error)) })
    this.#over.promise.catch(() => undefined)
  }

  /** The checked result. Rejects with the command's own error, or why it could not be followed. */
  async run(): Promise<unknown> {
    const { followed } = this.#connection
    const { signal } = this.#options
    // One that was told before a restart, and is not wanted any more, is only followed to be ended.
    this.#cancelled = this.#accepted && signal?.aborted === true && signal.reason !== LEAVE
    await followed.place(this.#cancelled ? undefined : signal).catch(() => {
      throw this.#endByCaller()
    })
    try {
      const ended = await this.#listening()
      // Only now is it known what a command was that an earlier process told.
      return checkedResult(this.#connection, this.#name, ended)
    } finally {
      followed.leave()
    }
  }

  async #listening(): Promise<Ended> {
    const { id, signal, deadlineMs } = this.#options
    const { clock, followed } = this.#connection
    const unlisten = followed.listen(id, (link, frame, bytes) => this.#heard(link, frame, bytes))
    const late = clock.after(deadlineMs + LATE_MS, () => this.#giveUp(deadlineMs))
    const onAbort = () => this.#aborted()
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted && !this.#cancelled) {
      this.#aborted()
    }
    try {
      return await this.#follow()
    } finally {
      late.close()
      signal?.removeEventListener('abort', onAbort)
      unlisten()
    }
  }

  async #follow(): Promise<Ended> {
    const { id, waitMs } = this.#options
    for (;;) {
      // Who wants to end it does not wait for an agent that went away.
      const link = await this.#linkWithin(this.#cancelled && this.#link ? 0 : waitMs)
      const ended = await this.#on(link)
      await this.#storing.settle()
      if (ended) {
        link.send('ack', { id, seq: Math.max(ended.seq, this.#storing.stored) })
        return ended
      }
      refuseCut(this.#options.talk, this.#name)
    }
  }

  /** What was told to an agent that does not come back in time must not go on for nobody when it does. */
  async #linkWithin(waitMs: number): Promise<AgentLink> {
    try {
      return await this.#connection.link({ waitMs, signal: this.#stop.signal })
    } catch (error) {
      const isAskedAgain = this.#options.comesBack === true && !this.#cancelled
      const isOver = this.#options.signal?.reason !== LEAVE && !isAskedAgain
      if ((this.#told || this.#accepted) && isOver) {
        this.#connection.followed.abandon(this.#options.id)
      }
      throw error
    }
  }

  /** Tells or asks on this connection; gives the end, or undefined when the connection was cut first. */
  async #on(link: AgentLink): Promise<Ended | undefined> {
    const { id } = this.#options
    this.#link = link
    const over = Promise.withResolvers<Ended | undefined>()
    over.promise.catch(() => undefined)
    this.#over = over
    if (this.#told || this.#accepted) {
      link.send('resume', { id, fromSeq: this.#storing.stored })
    } else {
      this.#tell(link)
    }
    if (this.#cancelled) {
      link.send('cancel', { id })
    }
    const forget = link.whenClosed(() => over.resolve(undefined))
    try {
      return await over.promise
    } finally {
      forget()
    }
  }

  #tell(link: AgentLink): void {
    const { id, talk, frame = '' } = this.#options
    this.#told = true
    link.sendText(frame)
    attachTalk(talk, link, id)
  }

  #heard(link: AgentLink, frame: AgentFrame, bytes: number): void {
    const { command, data } = frame
    if (link !== this.#link || isTalk(this.#options.talk, frame)) {
      return
    }
    switch (command) {
      case 'accepted':
        this.#nowAccepted(link, data)
        return
      case 'progress':
        this.#lines(link, data.lines, bytes)
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

  #nowAccepted(link: AgentLink, { command, state }: Pick<Accepted, 'command' | 'state'>): void {
    const { command: wanted = command } = this.#options
    if (command !== wanted) {
      this.#connection.flag(link, `accepted ${command} instead of ${wanted}`)
      return
    }
    this.#accepted = true
    this.#name = command
    if (state === 'orphaned' && !this.#cancelled) {
      this.#tellAgain(link)
    }
  }

  /** It was restarted in the middle of the command, whose program went on: what it lacks is the data. */
  #tellAgain(link: AgentLink): void {
    const { id, again } = this.#options
    try {
      if (again) {
        link.sendText(again())
        return
      }
    } catch (error) {
      this.#connection.flag(link, `${this.#name} cannot be told again: ${asFairleadError(error).message}`)
    }
    link.send('cancel', { id })
    this.#leave(COMMAND_LOST(this.#name))
  }

  #lines(link: AgentLink, lines: readonly LogLine[], bytes: number): void {
    const { id } = this.#options
    const taken = this.#storing.take({ lines, bytes, stored: seq => link.send('ack', { id, seq }) })
    if (taken === 'out of order') {
      this.#connection.flag(link, 'lines in the wrong order')
    }
    if (taken === 'too many') {
      this.#connection.misbehaved(link, 'more lines than the window allows')
    }
  }

  #refused(link: AgentLink, ended: { seq: number; error: FairleadError }): void {
    const { code } = ended.error
    if (code === UNKNOWN_COMMAND_ID.definition.code) {
      if (this.#accepted) {
        this.#leave(COMMAND_LOST(this.#name))
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
    const isUntold = !(this.#told || this.#accepted)
    if (signal?.reason === LEAVE || isUntold || !this.#link?.send('cancel', { id })) {
      this.#leave(this.#endByCaller())
      return
    }
    this.#cancelled = true
    this.#connection.clock.after(LATE_MS, () => this.#leave(this.#endByCaller()))
  }

  #endByCaller(): FairleadError {
    return this.#options.signal?.reason === LEAVE ? COMMAND_LEFT(this.#name) : COMMAND_CANCELLED(this.#name)
  }

  #giveUp(deadlineMs: number): void {
    this.#link?.send('cancel', { id: this.#options.id })
    this.#leave(COMMAND_TIMED_OUT(this.#name, Math.round(deadlineMs / 1000)))
  }

  /** Listens no longer, connected or not. */
  #leave(error: FairleadError): void {
    this.#link?.send('leave', { id: this.#options.id })
    this.#stop.abort(error)
    this.#over.reject(error)
  }
}
