import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface SeverableWay {
  readonly port: number
  /** From now on nothing goes through in either direction, and nobody is told: as when a cable is pulled. */
  cut(): void
  /** What was sent in the meantime goes on to whoever is still there. */
  heal(): void
}

/** A port of this machine that leads to the socket of a server. */
export async function startSeverableWay(
  stack: AsyncDisposableStack,
  socketFile: string,
): Promise<SeverableWay> {
  const open = new Set<Socket>()
  let isCut = false
  // The end of one side is no more told than anything else.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, near => {
    const far = connect({ path: socketFile, allowHalfOpen: true })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from)
      from.on('data', chunk => void to.write(chunk))
      from.on('end', () => to.end())
      // A side that breaks off has nothing more to get.
      from.on('error', () => undefined)
      from.on('close', () => {
        open.delete(from)
        to.end()
      })
      if (isCut) {
        from.pause()
      } else {
        from.resume()
      }
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(async () => {
    server.close()
    for (const socket of open) {
      socket.destroy()
    }
    await once(server, 'close')
  })
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true
      open.forEach(socket => void socket.pause())
    },
    heal() {
      isCut = false
      open.forEach(socket => void socket.resume())
    },
  }
}
