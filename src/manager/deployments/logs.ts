import { createReadStream } from 'node:fs'
import { appendFile, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** One line of a deployment's log. `seq` counts from 1 within the deployment. */
export interface DeploymentLine {
  readonly seq: number
  readonly at: number
  readonly step: string
  readonly stream: 'stdout' | 'stderr' | 'info'
  readonly text: string
  /** The command it came from and its number there, so that a resumed stream stores no line twice. */
  readonly command?: string
  readonly commandSeq?: number
}

export type NewLine = Omit<DeploymentLine, 'seq'>

/** More than this is dropped with a mark: the whole output stays on the agent for a while. */
const MAX_BYTES = 64 * 1024 * 1024

interface OpenLog {
  seq: number
  bytes: number
  full: boolean
  readonly commandSeqs: Map<string, number>
  tail: Promise<unknown>
}

/** The logs of all deployments: one JSON-lines file each below `folder`, appended in order, followed live. */
export class DeploymentLogs {
  readonly #folder: string
  readonly #open = new Map<string, Promise<OpenLog>>()
  readonly #listeners = new Map<string, Set<(line: DeploymentLine) => void>>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Appends in the order of calls; resolves when the lines are with the operating system. */
  async append(id: string, lines: readonly NewLine[]): Promise<void> {
    const log = await this.#opened(id)
    const written = log.tail.then(() => this.#write(id, log, lines))
    log.tail = written.catch(() => {})
    await written
  }

  /** Number of the last line stored of a command; 0 for none. */
  async lastSeqOf(id: string, command: string): Promise<number> {
    const log = await this.#opened(id)
    await log.tail
    return log.commandSeqs.get(command) ?? 0
  }

  /** Lines after `fromSeq`, oldest first. */
  async *read(id: string, fromSeq = 0): AsyncGenerator<DeploymentLine> {
    const stream = createReadStream(this.#file(id), 'utf8')
    try {
      for await (const text of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
        const line = parseLine(text)
        if (line && line.seq > fromSeq) {
          yield line
        }
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        throw error
      }
    } finally {
      stream.destroy()
    }
  }

  /** Calls back for each stored line after `fromSeq`, then for each new one, without gap or repetition. */
  async follow(
    id: string,
    fromSeq: number,
    listener: (line: DeploymentLine) => void,
  ): Promise<{ close(): void }> {
    let last = fromSeq
    let live = false
    const waiting: DeploymentLine[] = []
    const deliver = (line: DeploymentLine) => {
      if (line.seq > last) {
        last = line.seq
        listener(line)
      }
    }
    const onLine = (line: DeploymentLine) => (live ? deliver(line) : void waiting.push(line))
    const listeners = this.#listeners.get(id) ?? new Set()
    this.#listeners.set(id, listeners.add(onLine))
    for await (const line of this.read(id, fromSeq)) {
      deliver(line)
    }
    live = true
    waiting.forEach(deliver)
    return {
      close: () => {
        listeners.delete(onLine)
        if (listeners.size === 0) {
          this.#listeners.delete(id)
        }
      },
    }
  }

  /** Resolves when everything appended so far is with the operating system. */
  async settled(id: string): Promise<void> {
    const log = await this.#open.get(id)
    await log?.tail
  }

  /** Forgets what is kept in memory of a deployment that has ended. */
  async release(id: string): Promise<void> {
    await this.settled(id)
    this.#open.delete(id)
  }

  async remove(id: string): Promise<void> {
    await this.release(id)
    await rm(this.#file(id), { force: true })
  }

  async #write(id: string, log: OpenLog, lines: readonly NewLine[]): Promise<void> {
    if (log.full || lines.length === 0) {
      return
    }
    const numbered: DeploymentLine[] = []
    for (const line of lines) {
      if (line.command !== undefined && line.commandSeq !== undefined) {
        if (line.commandSeq <= (log.commandSeqs.get(line.command) ?? 0)) {
          continue
        }
        log.commandSeqs.set(line.command, line.commandSeq)
      }
      log.seq += 1
      numbered.push({ seq: log.seq, ...line })
    }
    let text = numbered.map(line => `${JSON.stringify(line)}\n`).join('')
    log.bytes += text.length
    if (log.bytes > MAX_BYTES) {
      log.full = true
      log.seq += 1
      const mark = {
        seq: log.seq,
        at: lines[0]?.at ?? 0,
        step: '',
        stream: 'info',
        text: 'The log is full; the rest is left out.',
      } as const
      numbered.push(mark)
      text += `${JSON.stringify(mark)}\n`
    }
    await appendFile(this.#file(id), text)
    for (const listener of this.#listeners.get(id) ?? []) {
      numbered.forEach(listener)
    }
  }

  #opened(id: string): Promise<OpenLog> {
    let log = this.#open.get(id)
    if (!log) {
      log = this.#recover(id)
      this.#open.set(id, log)
    }
    return log
  }

  /** Finds where the file stands after a restart; a half-written last line is cut off. */
  async #recover(id: string): Promise<OpenLog> {
    await mkdir(this.#folder, { recursive: true })
    const log: OpenLog = { seq: 0, bytes: 0, full: false, commandSeqs: new Map(), tail: Promise.resolve() }
    for await (const line of this.read(id)) {
      log.seq = line.seq
      log.bytes += Buffer.byteLength(JSON.stringify(line)) + 1
      if (line.command !== undefined && line.commandSeq !== undefined) {
        log.commandSeqs.set(line.command, line.commandSeq)
      }
    }
    const file = await open(this.#file(id), 'a')
    await file.truncate(log.bytes)
    await file.close()
    return log
  }

  #file(id: string): string {
    return join(this.#folder, `${id}.jsonl`)
  }
}

function parseLine(text: string): DeploymentLine | undefined {
  try {
    return JSON.parse(text) as DeploymentLine
  } catch {
    return undefined
  }
}
