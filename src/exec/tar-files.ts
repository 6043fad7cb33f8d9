import type { AnswerStream } from './answer-stream.ts'
import type { StreamEvent } from './call.ts'

const BLOCK = 512
/** More of one file is no list of anything. */
const LARGEST_FILE = 32 * 1024 * 1024
/** Of all files together: who made the archive is not trusted. */
const LARGEST_ALL = 64 * 1024 * 1024

interface Entry {
  readonly type: string
  readonly path: string
  /** Bytes of content that are still to come, and of the filling up to a whole block. */
  left: number
  filling: number
  readonly chunks: Buffer[] | undefined
}

/** Regular files of a tar archive whose paths are wanted, one after the other; the rest passes by. */
export function createTarFiles(
  isWanted: (path: string) => boolean,
  onEvent: (event: StreamEvent) => void,
): AnswerStream {
  let pending: Buffer = Buffer.alloc(0)
  let entry: Entry | undefined
  /** What an extended header in front says of the next entry. */
  let named: { readonly path?: string; readonly size?: number } = {}
  let kept = 0

  function begin(header: Buffer): Entry | undefined {
    if (header.every(byte => byte === 0)) {
      return undefined
    }
    const type = String.fromCharCode(header[156] ?? 0).replace('\0', '0')
    const isExtension = type === 'x' || type === 'L'
    const size = (isExtension ? undefined : named.size) ?? numberIn(header.subarray(124, 136))
    const path = plain((isExtension ? undefined : named.path) ?? pathIn(header))
    if (!isExtension && type !== 'K') {
      named = {}
    }
    const isKept = isExtension || (type === '0' && isWanted(path))
    const fits = size <= LARGEST_FILE && kept + size <= LARGEST_ALL
    kept += isKept && fits ? size : 0
    const filling = (BLOCK - (size % BLOCK)) % BLOCK
    return { type, path, left: size, filling, chunks: isKept && fits ? [] : undefined }
  }

  function end({ type, path, chunks }: Entry): void {
    if (!chunks) {
      return
    }
    const text = Buffer.concat(chunks).toString('utf8')
    if (type === 'L') {
      named = { ...named, path: text.replace(/\0.*$/s, '') }
    } else if (type === 'x') {
      named = extendedIn(text)
    } else {
      onEvent({ kind: 'file', path, text })
    }
  }

  function take(): boolean {
    if (!entry) {
      if (pending.length < BLOCK) {
        return false
      }
      entry = begin(pending.subarray(0, BLOCK))
      pending = pending.subarray(BLOCK)
      return true
    }
    const part = pending.subarray(0, entry.left)
    entry.chunks?.push(part)
    entry.left -= part.length
    const filled = entry.left === 0 ? Math.min(entry.filling, pending.length - part.length) : 0
    entry.filling -= filled
    pending = pending.subarray(part.length + filled)
    if (entry.left === 0 && entry.filling === 0) {
      end(entry)
      entry = undefined
      return true
    }
    return false
  }

  return {
    write(chunk) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
      while (take()) {
        // One header or one content after the other.
      }
    },
    end() {
      if (entry) {
        throw new SyntaxError('an archive that ends in the middle of a file')
      }
    },
  }
}

function textIn(bytes: Buffer): string {
  return bytes.toString('utf8').replace(/\0.*$/s, '')
}

function pathIn(header: Buffer): string {
  const name = textIn(header.subarray(0, 100))
  const isUstar = textIn(header.subarray(257, 263)).startsWith('ustar')
  const prefix = isUstar ? textIn(header.subarray(345, 500)) : ''
  return prefix === '' ? name : `${prefix}/${name}`
}

/** Octal digits, or a binary number where the first bit is set. */
function numberIn(bytes: Buffer): number {
  if (((bytes[0] ?? 0) & 0x80) !== 0) {
    return Number(bytes.readBigUInt64BE(bytes.length - 8) & 0x1fffffffffffffn)
  }
  return Number.parseInt(textIn(bytes).trim() || '0', 8) || 0
}

/** `12 path=name\n` … */
function extendedIn(text: string): { path?: string; size?: number } {
  const path = /(?:^|\n)\d+ path=(.*)\n/.exec(text)?.[1]
  const size = /(?:^|\n)\d+ size=(\d+)\n/.exec(text)?.[1]
  return { ...(path === undefined ? {} : { path }), ...(size === undefined ? {} : { size: Number(size) }) }
}

function plain(path: string): string {
  return path.replace(/^(?:\.?\/)+/, '')
}
