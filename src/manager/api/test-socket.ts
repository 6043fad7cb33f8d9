import { connect, type Socket } from 'node:net'
import type { TestServer } from './test-server.ts'

/** Over a real socket, with exactly these header lines. Gives the status. */
export async function rawRequest(
  manager: TestServer,
  path: string,
  { headers, body = '' }: { readonly headers: readonly string[]; readonly body?: string },
): Promise<number> {
  const socket = openSocket(manager)
  socket.write(`${headOf(path, headers)}${body}`)
  const status = await statusOf(socket)
  socket.destroy()
  return status
}

/** Whatever becomes of it is nobody's failure. */
export function openSocket({ server }: TestServer): Socket {
  const { port } = server.server.address() as { port: number }
  return connect(port, '127.0.0.1').on('error', () => undefined)
}

export function headOf(path: string, headers: readonly string[]): string {
  return `POST ${path} HTTP/1.1\r\nHost: x\r\n${headers.join('\r\n')}\r\n\r\n`
}

/** Of the first answer. */
async function statusOf(socket: Socket): Promise<number> {
  const chunk = await new Promise<Buffer>(resolve => socket.once('data', resolve))
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(chunk.toString())?.[1])
}
