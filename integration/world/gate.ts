import { once } from 'node:events'
import { connect, createServer, type ListenOptions, type NetConnectOpts, type Socket } from 'node:net'

/** An address that leads to another one for as long as it is open. */
export interface Gate {
  /** Cuts every connection; new ones are refused, as when what is behind is down. */
  close(): Promise<void>
  open(): Promise<void>
}

export async function openGate(from: ListenOptions, to: NetConnectOpts): Promise<Gate> {
  const sockets = new Set<Socket>()
  // Both halves apart: a build's input ends long before its output does.
  const server = createServer({ allowHalfOpen: true }, visitor => {
    const other = connect({ ...to, allowHalfOpen: true })
    for (const [source, sink] of [
      [visitor, other],
      [other, visitor],
    ] as const) {
      sockets.add(source)
      source.on('error', () => sink.destroy())
      source.on('close', () => sockets.delete(source))
      source.pipe(sink)
    }
  })
  const gate: Gate = {
    async close() {
      if (!server.listening) {
        return
      }
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) {
        socket.destroy()
      }
      await closed
    },
    async open() {
      server.listen(from)
      await once(server, 'listening')
    },
  }
  await gate.open()
  return gate
}
