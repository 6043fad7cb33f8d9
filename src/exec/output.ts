import { StringDecoder } from 'node:string_decoder'
import type { Redactor } from '#lib/redact.ts'
import { createLines } from './lines.ts'

/** Takes the bytes of one output as they come. */
export interface Sink {
  write(chunk: Buffer): void
  end(): void
}

/** Bytes to redacted lines as they come; bytes that are not UTF-8 become U+FFFD. */
export function createLiveOutput(redactor: Redactor, onLine: (line: string) => void): Sink {
  const decoder = new StringDecoder('utf8')
  const redacted = redactor.stream()
  const lines = createLines(onLine)
  return {
    write: chunk => lines.write(redacted.write(decoder.write(chunk))),
    end() {
      lines.write(redacted.write(decoder.end()))
      lines.write(redacted.end())
      lines.end()
    },
  }
}

export interface Kept extends Sink {
  text(): string
  /** Bytes written so far, kept or not. */
  total(): number
}

/** Keeps the last bytes, however many come. */
export function createTail(bytes: number): Kept {
  let chunks: Buffer[] = []
  let held = 0
  let total = 0

  function compact(): Buffer {
    const all = Buffer.concat(chunks)
    const last = all.length > bytes ? Buffer.from(all.subarray(all.length - bytes)) : all
    chunks = [last]
    held = last.length
    return last
  }

  return {
    write(chunk) {
      chunks.push(chunk)
      held += chunk.length
      total += chunk.length
      if (held > 2 * bytes || chunks.length > 1024) {
        compact()
      }
    },
    end() {},
    text: () => compact().toString('utf8'),
    total: () => total,
  }
}

/** Keeps the first bytes; `onTooMuch` is called once when there are more. */
export function createCapture(
  bytes: number,
  onTooMuch: () => void,
  encoding: 'utf8' | 'base64' = 'utf8',
): Kept {
  let chunks: Buffer[] = []
  let total = 0
  return {
    write(chunk) {
      const before = total
      total += chunk.length
      if (total <= bytes) {
        chunks.push(chunk)
      } else if (before <= bytes) {
        chunks = []
        onTooMuch()
      }
    },
    end() {},
    text: () => Buffer.concat(chunks).toString(encoding),
    total: () => total,
  }
}
