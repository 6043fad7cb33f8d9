import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { DOCKER_SOCKET } from '#cli/demo/engine.ts'

/** A socket that leads to the engine for as long as it is open. */
export interface EngineGate {
  readonly path: string
  /** Cuts every connection; new ones are refused, as when the engine is down. */
  close(): Promise<void>
  open(): Promise<void>
}

export async function openEngineGate(path: string): Promise<EngineGate> {
  const sockets = new Set<Socket>()
  // Both halves apart: a build's input ends long before its output does.
  const server = createServer({ allowHalfOpen: true }, visitor => {
    const engine = connect({ path: DOCKER_SOCKET, allowHalfOpen: true })
    for (const [from, to] of [
      [visitor, engine],
      [engine, visitor],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => sockets.delete(from))
      from.pipe(to)
    }
  })
  const gate: EngineGate = {
    path,
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
      server.listen(path)
      await once(server, 'listening')
    },
  }
  await gate.open()
  return gate
}
