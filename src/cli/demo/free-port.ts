import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

const given = new Set<number>()
/** Below the ports that Linux gives to outgoing connections: one of those can be taken before it is listened on. */
const FIRST = 10_000
const LAST = 32_000

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
  for (let port = wanted || randomInt(FIRST, LAST); ; port = randomInt(FIRST, LAST)) {
    if ((port === wanted || !given.has(port)) && (await isFree(port))) {
      given.add(port)
      return port
    }
  }
}

/** Whether nobody listens on a TCP port of a host (default 127.0.0.1; `''` stands for all), and this process may. */
export async function isFree(port: number, host?: string): Promise<boolean> {
  return (await whyNotFree(port, host)) === undefined
}

/** Why this process cannot listen there, as the system says it: EADDRINUSE, EACCES, EADDRNOTAVAIL …; undefined: it can. */
export async function whyNotFree(port: number, host?: string): Promise<string | undefined> {
  return await listenOnce(port, host).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  )
}

async function listenOnce(port: number, host = '127.0.0.1'): Promise<void> {
  const server = createServer().listen(port, host === '' ? undefined : host)
  await once(server, 'listening')
  server.close()
  await once(server, 'close')
}
