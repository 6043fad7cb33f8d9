import { StringDecoder } from 'node:string_decoder'
import type { StreamEvent } from './call.ts'
import { createLines, type Lines } from './lines.ts'

/** Takes the bytes of an answer that goes on and on. What onEvent throws comes through. */
export interface AnswerStream {
  write(chunk: Buffer): void
  end(): void
}

/** A JSON text without a line end that is longer than this is no engine's event. */
const LONGEST_JSON = 4 * 1024 * 1024

/** One JSON value per line, as Docker and BuildKit send their progress. */
export function createJsonLines(onValue: (value: unknown) => void): AnswerStream {
  const decoder = new StringDecoder('utf8')
  let rest = ''

  function take(line: string): void {
    if (line.trim() !== '') {
      onValue(JSON.parse(line))
    }
  }

  return {
    write(chunk) {
      const lines = (rest + decoder.write(chunk)).split('\n')
      rest = lines.pop() ?? ''
      lines.forEach(take)
      if (rest.length > LONGEST_JSON) {
        throw new SyntaxError('a line of JSON without an end')
      }
    },
    end() {
      take(rest + decoder.end())
      rest = ''
    },
  }
}

const FRAME_HEADER = 8

/**
 * Docker's log of a container as lines. Without a terminal it comes in frames with an eight-byte header (stream, size);
 * with one it comes as it is. Engines before 23 give both the same Content-Type, so the first bytes decide.
 */
export function createDockerLog(onEvent: (event: StreamEvent) => void): AnswerStream {
  const outputs = { stdout: textOutput('stdout'), stderr: textOutput('stderr') }
  let pending: Buffer = Buffer.alloc(0)
  let form: 'unknown' | 'frames' | 'raw' = 'unknown'
  let left = 0
  let current = outputs.stdout

  function textOutput(stream: 'stdout' | 'stderr'): { decoder: StringDecoder; lines: Lines } {
    const lines = createLines(text => onEvent({ kind: 'line', stream, text }))
    return { decoder: new StringDecoder('utf8'), lines }
  }

  function hand(bytes: Buffer): void {
    current.lines.write(current.decoder.write(bytes))
  }

  function takeFrames(): void {
    while (pending.length > 0) {
      if (left === 0) {
        if (pending.length < FRAME_HEADER) {
          return
        }
        if (!isFrameHeader(pending)) {
          form = 'raw'
          return
        }
        current = pending[0] === 2 ? outputs.stderr : outputs.stdout
        left = pending.readUInt32BE(4)
        pending = pending.subarray(FRAME_HEADER)
      }
      const part = pending.subarray(0, left)
      hand(part)
      left -= part.length
      pending = pending.subarray(part.length)
    }
  }

  return {
    write(chunk) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
      if (form === 'unknown' && pending.length >= FRAME_HEADER) {
        form = isFrameHeader(pending) ? 'frames' : 'raw'
      }
      if (form === 'frames') {
        takeFrames()
      }
      if (form === 'raw') {
        hand(pending)
        pending = Buffer.alloc(0)
      }
    },
    end() {
      hand(pending)
      for (const { decoder, lines } of Object.values(outputs)) {
        lines.write(decoder.end())
        lines.end()
      }
    },
  }
}

function isFrameHeader(bytes: Buffer): boolean {
  return (bytes[0] ?? 255) <= 2 && bytes[1] === 0 && bytes[2] === 0 && bytes[3] === 0
}
