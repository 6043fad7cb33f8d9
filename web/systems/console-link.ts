import type { ConsoleEnd, ConsoleSize } from '#contract/rest/console.ts'
import { createColourFilter } from './colours.ts'

const PROTOCOL = 'fairlead.console.v1'
/** A pasted text is sent in pieces that are taken. */
const PIECE_BYTES = 32_768

export interface ConsoleLink {
  send(text: string): void
  resize(size: ConsoleSize): void
  close(): void
}

interface Hooks {
  /** What the shell wrote. */
  wrote(text: string): void
  opened(): void
  /** With why, in words. */
  ended(why: string): void
}

/** A shell in the system: what is typed and shown in binary messages, its size and its end in text messages. */
export function openConsole(system: string, { columns, rows }: ConsoleSize, hooks: Hooks): ConsoleLink {
  const words = new URLSearchParams({ columns: String(columns), rows: String(rows) })
  const address = new URL(`/api/v1/systems/${system}/console?${words}`, location.href)
  address.protocol = address.protocol.replace('http', 'ws')
  const socket = new WebSocket(address, PROTOCOL)
  socket.binaryType = 'arraybuffer'
  const decoder = new TextDecoder()
  const encoder = new TextEncoder()
  const filter = createColourFilter()
  let why =
    'The console could not be opened. Look whether the system runs; only a session of an account opens one here.'
  socket.addEventListener('open', () => {
    why = 'The connection to it was lost.'
    hooks.opened()
  })
  socket.addEventListener('message', ({ data }) => {
    if (data instanceof ArrayBuffer) {
      hooks.wrote(filter(decoder.decode(data, { stream: true })))
    } else {
      why = endText(JSON.parse(String(data)) as ConsoleEnd)
    }
  })
  socket.addEventListener('close', () => hooks.ended(why))
  const whenOpen = (data: string | Uint8Array<ArrayBuffer>) => {
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(data)
    }
  }
  return {
    send(text) {
      const bytes = encoder.encode(text)
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        whenOpen(bytes.slice(at, at + PIECE_BYTES))
      }
    },
    resize: size => whenOpen(JSON.stringify(size)),
    close: () => socket.close(1000),
  }
}

function endText({ exit_code: code, error }: ConsoleEnd): string {
  return error ? `${error.message} ${error.hint}` : `The shell has ended${code ? ` with ${code}` : ''}.`
}
