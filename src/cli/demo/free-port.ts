import { once } from 'node:events'
import { createServer } from 'node:net'

const given = new Set<number>()

/** The port that is `wanted` (rejects when somebody has it); without a wish the `last` one if it is free, else any. */
export async function choosePort(wanted: number | undefined, last?: number): Promise<number> {
  const port = await freePort(wanted || last)
  if (wanted && port !== wanted) {
    throw new Error(`port ${wanted} of 127.0.0.1 is taken by another program`)
  }
  return port
}

/** A TCP port of 127.0.0.1 that nobody listens on: `wanted` when it is free, else one that this process never gave. */
export async function freePort(wanted = 0): Promise<number> {
  for (;;) {
    const port = await listenOnce(wanted).catch(() => listenOnce(0))
    if (port === wanted || !given.has(port)) {
      given.add(port)
      return port
    }
  }
}

/** Whether nobody listens on a TCP port of 127.0.0.1, and this process may. */
export async function isFree(port: number): Promise<boolean> {
  return await listenOnce(port).then(
    () => true,
    () => false,
  )
}

async function listenOnce(wanted: number): Promise<number> {
  const server = createServer().listen(wanted, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') {
    throw new Error('a TCP server has no port')
  }
  return address.port
}
