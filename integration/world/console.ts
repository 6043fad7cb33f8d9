import WebSocket, { type RawData } from 'ws'
import { CONSOLE_PROTOCOL, type ConsoleEnd, type ConsoleSize } from '#contract/rest/console.ts'

/** A console as a browser has it: what was shown so far, and how it ended. */
export interface TestConsole {
  type(text: string): void
  /** A text message, whatever is in it. */
  say(text: string): void
  resize(size: ConsoleSize): void
  text(): string
  /** Resolves once what was shown fits. */
  shown(pattern: RegExp): Promise<void>
  readonly end: Promise<ConsoleEnd | undefined>
  /** Its close code. */
  readonly closed: Promise<number>
  leave(): void
}

/** Opens one, or rejects with the status that it was refused with. */
export async function startConsole(
  url: string,
  options: { readonly system: string; readonly token: string; readonly size: ConsoleSize },
): Promise<TestConsole> {
  const { system, token, size } = options
  const path = `/api/v1/systems/${system}/console?columns=${size.columns}&rows=${size.rows}`
  const headers = { authorization: `Bearer ${token}` }
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}${path}`, [CONSOLE_PROTOCOL], { headers })
  const opened = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<ConsoleEnd | undefined>()
  const closed = Promise.withResolvers<number>()
  const watchers = new Set<() => void>()
  let text = ''
  socket.on('open', () => opened.resolve())
  socket.on('unexpected-response', (_, { statusCode }) => opened.reject(new Error(`refused: ${statusCode}`)))
  socket.on('error', error => opened.reject(error))
  socket.on('message', (data: RawData, isBinary: boolean) => {
    if (!isBinary) {
      ended.resolve(JSON.parse(data.toString()) as ConsoleEnd)
      return
    }
    text += data.toString()
    watchers.forEach(look => void look())
  })
  socket.on('close', code => {
    ended.resolve(undefined)
    closed.resolve(code)
  })
  await opened.promise
  return {
    type: typed => socket.send(Buffer.from(typed), { binary: true }),
    say: said => socket.send(said),
    resize: next => socket.send(JSON.stringify(next)),
    text: () => text,
    async shown(pattern) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const look = () => pattern.test(text) && resolve()
      watchers.add(look)
      look()
      closed.promise.then(code => reject(new Error(`closed with ${code} after: ${text}`)))
      await promise
      watchers.delete(look)
    },
    end: ended.promise,
    closed: closed.promise,
    leave: () => socket.close(),
  }
}
