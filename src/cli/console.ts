import { text } from 'node:stream/consumers'
import WebSocket, { type RawData } from 'ws'
import { CONSOLE_PROTOCOL, type ConsoleEnd, type ConsoleSize } from '#contract/rest/console.ts'
import { FairleadError } from '#lib/errors.ts'
import { asProblem, type Client } from './client.ts'
import { MANAGER_UNREACHABLE } from './errors.ts'
import { CONSOLE_ENDED } from './system-errors.ts'

/** So much that was typed may wait for the manager. */
const MOST_WAITING_BYTES = 256 * 1024
/** Of one message. */
const PIECE_BYTES = 32 * 1024
/** Ctrl-D: where what is typed comes from a file, its end is the end of the shell. */
const END_OF_INPUT = Buffer.from([4])

/** Puts this terminal before the shell of a system; gives the exit code of the shell. */
export async function runConsole(client: Client, system: string, signal: AbortSignal): Promise<number> {
  const { columns, rows } = sizeNow()
  const path = `/systems/${encodeURIComponent(system)}/console?columns=${columns}&rows=${rows}`
  const socket = await connect(client, path)
  const stop = () => socket.close()
  signal.addEventListener('abort', stop, { once: true })
  const unplug = plugIn(socket)
  try {
    return await endOf(socket, system)
  } finally {
    unplug()
    signal.removeEventListener('abort', stop)
    socket.terminate()
  }
}

async function connect(client: Client, path: string): Promise<WebSocket> {
  const socket = new WebSocket(`${client.url.replace(/^http/, 'ws')}/api/v1${path}`, [CONSOLE_PROTOCOL], {
    headers: { authorization: await client.authorization() },
    perMessageDeflate: false,
    followRedirects: false,
    handshakeTimeout: 20_000,
  })
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>()
  socket.on('unexpected-response', (_, answer) => {
    text(answer).then(
      said => reject(asProblem(answer.statusCode ?? 500, parsed(said))),
      () => reject(asProblem(answer.statusCode ?? 500, {})),
    )
  })
  socket.on('error', error => {
    const code = (error as { code?: string }).code ?? error.message
    reject(MANAGER_UNREACHABLE(client.url, code).with({ cause: error }))
  })
  socket.once('open', () => {
    // Nothing may come before there is somebody who hears it.
    socket.pause()
    resolve(socket)
  })
  return await promise
}

/** Joins what is typed and shown here with the other side; the result ends that. */
function plugIn(socket: WebSocket): () => void {
  const { stdin } = process
  const isTerminal = stdin.isTTY === true
  const type = (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      socket.send(bytes.subarray(at, at + PIECE_BYTES), { binary: true }, () => {
        if (socket.bufferedAmount <= MOST_WAITING_BYTES) {
          stdin.resume()
        }
      })
    }
    if (socket.bufferedAmount > MOST_WAITING_BYTES) {
      stdin.pause()
    }
  }
  const finish = () => socket.readyState === socket.OPEN && type(END_OF_INPUT)
  const resized = () => socket.send(JSON.stringify(sizeNow()))
  if (isTerminal) {
    stdin.setRawMode(true)
  }
  stdin.on('data', type)
  stdin.on('end', finish)
  process.stdout.on('resize', resized)
  return () => {
    if (isTerminal) {
      stdin.setRawMode(false)
    }
    stdin.off('data', type)
    stdin.off('end', finish)
    stdin.pause()
    process.stdout.off('resize', resized)
  }
}

async function endOf(socket: WebSocket, system: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  socket.on('message', (data: RawData, isBinary: boolean) => {
    if (isBinary) {
      show(socket, data as Buffer)
      return
    }
    const { exit_code, error } = parsed(data.toString()) as Partial<ConsoleEnd>
    if (error) {
      reject(new FairleadError({ ...error, retry: 'never', status: 502 }))
    } else {
      resolve(exit_code ?? 255)
    }
  })
  socket.on('error', reject)
  socket.on('close', code => reject(CONSOLE_ENDED(system, code)))
  socket.resume()
  return await promise
}

function show(socket: WebSocket, bytes: Buffer): void {
  if (!process.stdout.write(bytes)) {
    socket.pause()
    process.stdout.once('drain', () => socket.resume())
  }
}

function sizeNow(): ConsoleSize {
  const { columns = 80, rows = 24 } = process.stdout
  return { columns: Math.max(1, Math.min(columns, 1_000)), rows: Math.max(1, Math.min(rows, 1_000)) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
