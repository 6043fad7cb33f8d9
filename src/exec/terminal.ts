import { finished } from 'node:stream/promises'
import WebSocket, { createWebSocketStream } from 'ws'
import type { CallContext } from './call-context.ts'
import { engineError } from './engine-error.ts'
import type { TerminalCall, TerminalSize } from './terminal-call.ts'

const OPEN_WITHIN_MS = 10_000
/** SIGKILL: what a shell leaves behind its terminal gets SIGHUP by that. */
const KILL = JSON.stringify({ command: 'signal', signal: 9 })
/** The daemon takes what it was sent right before a cut. */
const GOODBYE_MS = 100

/** Joins a terminal with whoever sits before it, until one of them is gone. Nothing goes on without a partner. */
export async function performTerminal<T>(call: TerminalCall<T>, context: CallContext): Promise<T> {
  const { partner, sockets } = call
  const data = await openSocket(call, sockets.data)
  try {
    const control = await openSocket(call, sockets.control)
    try {
      return call.read(await join(call, { data, control }, context))
    } finally {
      control.terminate()
    }
  } finally {
    data.terminate()
    partner.removeAllListeners('size')
  }
}

async function join(
  { partner }: TerminalCall<unknown>,
  { data, control }: { readonly data: WebSocket; readonly control: WebSocket },
  { clock, signal }: CallContext,
): Promise<'program' | 'partner'> {
  const terminal = createWebSocketStream(data)
  terminal.on('error', () => undefined)
  control.on('error', () => undefined)
  partner.on('size', ({ columns, rows }: TerminalSize) => {
    const args = { width: String(columns), height: String(rows) }
    control.send(JSON.stringify({ command: 'window-resize', args }))
  })
  // The daemon says with an empty text that nothing follows, and leaves the socket open.
  data.on('message', (piece: Buffer, isBinary) => !isBinary && piece.length === 0 && terminal.push(null))
  const gone = Promise.withResolvers<'program' | 'partner'>()
  const left = () => gone.resolve('partner')
  signal.addEventListener('abort', left, { once: true })
  partner.once('close', left)
  partner.once('end', left)
  for (const sign of ['end', 'close']) {
    terminal.once(sign, () => gone.resolve('program'))
  }
  partner.pipe(terminal, { end: false })
  terminal.pipe(partner, { end: false })
  const who = await gone.promise
  signal.removeEventListener('abort', left)
  partner.unpipe(terminal)
  if (who === 'partner') {
    control.send(KILL)
    await clock.sleep(GOODBYE_MS)
    signal.throwIfAborted()
    return who
  }
  // What was shown last is still on its way: it ends before the result is told.
  partner.end()
  await finished(partner, { readable: false, signal }).catch(() => undefined)
  return who
}

async function openSocket(
  { engine }: Pick<TerminalCall<unknown>, 'engine'>,
  path: string,
): Promise<WebSocket> {
  const socket = new WebSocket(`ws+unix:${engine.socket}:${path}`, {
    perMessageDeflate: false,
    handshakeTimeout: OPEN_WITHIN_MS,
    followRedirects: false,
  })
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>()
  socket.once('open', () => resolve(socket))
  socket.once('error', reject)
  try {
    return await promise
  } catch (error) {
    throw engineError(error, engine, 'the terminal')
  }
}
