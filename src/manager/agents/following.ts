import type { AgentFrame, LogLine } from '#contract/agent-frames.ts'
import { check } from '#lib/check.ts'
import { asFairleadError, FairleadError } from '#lib/errors.ts'
import { COMMAND_CANCELLED, COMMAND_TIMED_OUT, UNKNOWN_COMMAND_ID } from '#link/errors.ts'
import type { AgentLink } from './agent-link.ts'
import type { AgentConnection } from './connection.ts'
import { BAD_ANSWER, COMMAND_LEFT, COMMAND_LOST } from './errors.ts'
import { type FollowOptions, LEAVE } from './follow-options.ts'
import { Storing } from './storing.ts'

/** An agent ends its commands itself; this is for one that does not. */
const LATE_MS = 30_000
const AGENT_STOPPING = 'AGENT_STOPPING'

type Accepted = Extract<AgentFrame, { command: 'accepted' }>['data']
type Ended = { readonly seq: number } & ({ readonly data: unknown } | { readonly error: FairleadError })

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
    await followed.place(this.#options.signal).catch(() => {
      throw this.#endByCaller()
    })
    try {
      return this.#resultOf(await this.#listening())
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
    if (signal?.aborted) {
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
      const link = await this.#linkWithin(waitMs)
      const ended = await this.#on(link)
      await this.#storing.settle()
      if (ended) {
        link.send('ack', { id, seq: Math.max(ended.seq, this.#storing.stored) })
        return ended
      }
    }
  }

  /** What was told to an agent that does not come back in time must not go on for nobody when it does. */
  async #linkWithin(waitMs: number): Promise<AgentLink> {
    try {
      // Who wants to end it does not wait for an agent that is away.
      return await this.#connection.link({ waitMs: this.#cancelled ? 0 : waitMs, signal: this.#stop.signal })
    } catch (error) {
      if ((this.#told || this.#accepted) && this.#options.signal?.reason !== LEAVE) {
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
    const wanted = this.#options.command
    if (wanted !== undefined && command !== wanted) {
      this.#connection.flag(link, `accepted ${command} instead of ${wanted}`)
      return
    }
    this.#accepted = true
    this.#name = command
    if (state === 'orphaned') {
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
    if (signal?.reason === LEAVE || !(this.#told || this.#accepted)) {
      this.#leave(this.#endByCaller())
      return
    }
    this.#cancelled = true
    if (!this.#link?.send('cancel', { id })) {
      this.#leave(this.#endByCaller())
      return
    }
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
