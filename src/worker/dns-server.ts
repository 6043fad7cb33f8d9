import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { answerQuery } from './dns-answer.ts'
import { SWITCHBOARD_PORT_TAKEN } from './switchboard-errors.ts'

const IDLE_MS = 5_000
const MAX_CONNECTIONS = 512
const MAX_QUERY_BYTES = 4_096
const FREE_PORT_TRIES = 20

export interface DnsServer {
  /** host:port, the same for TCP and UDP. */
  readonly address: string
  close(): Promise<void>
}

/**
 * Answers DNS questions from memory. The proxy asks over TCP: when this process dies the kernel says so at once,
 * while a lost UDP question would make every visitor wait 5 s. UDP is for people (`dig`).
 */
export async function startDnsServer(
  listen: string,
  addressOf: (name: string) => string | undefined,
): Promise<DnsServer> {
  const [host = '127.0.0.1', port = '0'] = listen.split(':')
  const { stream, datagrams } = await bindBoth(host, Number(port))
  const connections = new Set<Socket>()
  stream.on('connection', connection => {
    connections.add(connection)
    connection.once('close', () => connections.delete(connection))
    answerStream(connection, addressOf)
  })
  answerDatagrams(datagrams, addressOf)
  return {
    address: `${host}:${(stream.address() as AddressInfo).port}`,
    async close() {
      const closed = Promise.all([once(stream, 'close'), once(datagrams, 'close')])
      stream.close()
      datagrams.close()
      for (const connection of connections) {
        connection.destroy()
      }
      await closed
    },
  }
}

async function bindBoth(host: string, port: number): Promise<{ stream: Server; datagrams: DatagramSocket }> {
  for (let tries = 1; ; tries++) {
    const stream = createServer()
    const datagrams = createSocket('udp4')
    try {
      stream.maxConnections = MAX_CONNECTIONS
      await once(stream.listen(port, host), 'listening')
      datagrams.bind((stream.address() as AddressInfo).port, host)
      await once(datagrams, 'listening')
      return { stream, datagrams }
    } catch (cause) {
      stream.close()
      datagrams.close()
      // A free TCP port may be somebody's UDP port.
      if (port !== 0 || tries === FREE_PORT_TRIES) {
        throw SWITCHBOARD_PORT_TAKEN(`${host}:${port}`).with({ cause })
      }
    }
  }
}

function answerDatagrams(socket: DatagramSocket, addressOf: (name: string) => string | undefined): void {
  // An asker that has gone away (ICMP "port unreachable") must not end the worker.
  socket.on('error', () => {})
  socket.on('message', (packet, from) => {
    const answer = answerQuery(packet, addressOf)
    // Nobody can be answered at port 0, and send() throws for it.
    if (answer && from.port > 0) {
      socket.send(answer, from.port, from.address, () => {})
    }
  })
}

/** Each message is preceded by its length in two bytes (RFC 1035 4.2.2). What makes no sense ends the connection. */
function answerStream(connection: Socket, addressOf: (name: string) => string | undefined): void {
  let held = Buffer.alloc(0)
  connection.on('error', () => connection.destroy())
  connection.setTimeout(IDLE_MS, () => connection.destroy())
  connection.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    while (held.length >= 2) {
      const length = held.readUInt16BE(0)
      if (length > MAX_QUERY_BYTES) {
        connection.destroy()
        return
      }
      if (held.length < 2 + length) {
        return
      }
      const answer = answerQuery(held.subarray(2, 2 + length), addressOf)
      held = held.subarray(2 + length)
      if (!answer) {
        connection.destroy()
        return
      }
      const size = Buffer.alloc(2)
      size.writeUInt16BE(answer.length, 0)
      connection.write(Buffer.concat([size, answer]))
    }
  })
}
