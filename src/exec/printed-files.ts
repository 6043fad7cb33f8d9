import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileError } from './file-error.ts'
import { FILES } from './outliving.ts'
import type { Sink } from './output.ts'

const PREFIX = 'fairlead-printed-'
/** Taken from the disk beforehand: on a full one a program can still say so. */
const RESERVED = 16 * 1024
const PIECE = 64 * 1024

/** The files that an outliving program writes to, open for it. */
export interface PrintedFiles extends Disposable {
  readonly folder: string
  /** stdout, stderr, exit code. */
  readonly descriptors: readonly [number, number, number]
}

/** Makes them in a private folder; disposing closes them and leaves them. */
export async function makePrintedFiles(root: string): Promise<PrintedFiles> {
  const opened: number[] = []
  function close(): void {
    for (const descriptor of opened.splice(0)) {
      closeSync(descriptor)
    }
  }
  const folder = await mkdtemp(join(root, PREFIX)).catch(error => {
    throw fileError('write', root, error)
  })
  const open = (name: string) => {
    const descriptor = openSync(join(folder, name), 'wx', 0o600)
    opened.push(descriptor)
    // At a position: the program begins to write at the start.
    writeSync(descriptor, Buffer.alloc(RESERVED), 0, RESERVED, 0)
    return descriptor
  }
  try {
    const descriptors = [open(FILES.stdout), open(FILES.stderr), open(FILES.exit)] as const
    return { folder, descriptors, [Symbol.dispose]: close }
  } catch (error) {
    close()
    await rm(folder, { recursive: true, force: true })
    throw fileError('write', folder, error)
  }
}

/** Removes those of programs that nobody takes up. */
export async function removePrintedFiles(root: string, kept: readonly string[]): Promise<void> {
  for (const name of await readdir(root)) {
    const folder = join(root, name)
    if (name.startsWith(PREFIX) && !kept.includes(folder)) {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** Hands on what one file has got since the last look. */
export class PrintedFile implements Disposable {
  readonly #descriptor: number
  readonly #sink: Sink
  readonly #piece = Buffer.alloc(PIECE)
  #offset = 0

  constructor(folder: string, name: 'stdout' | 'stderr', sink: Sink) {
    this.#descriptor = openSync(join(folder, name), 'r')
    this.#sink = sink
  }

  /** One piece. False when there is no more now. */
  readPiece(): boolean {
    const length = readSync(this.#descriptor, this.#piece, 0, PIECE, this.#offset)
    const written = this.size > RESERVED ? length : withoutZeros(this.#piece, length)
    if (written === 0) {
      return false
    }
    this.#offset += written
    // A copy: the sinks keep what they get.
    this.#sink.write(Buffer.from(this.#piece.subarray(0, written)))
    return true
  }

  get size(): number {
    return fstatSync(this.#descriptor).size
  }

  /** Bytes read so far. */
  get total(): number {
    return this.#offset
  }

  end(): void {
    this.#sink.end()
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor)
  }
}

/** In the part that was taken beforehand zeros at the end are not written yet. */
function withoutZeros(piece: Buffer, length: number): number {
  let end = length
  while (end > 0 && piece[end - 1] === 0) {
    end--
  }
  return end
}
