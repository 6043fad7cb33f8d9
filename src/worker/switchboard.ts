import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Switchboard } from '#commands/command.ts'
import { isIpv4 } from '#commands/subnet.ts'
import { BAD_INPUT } from '#lib/check.ts'
import type { Clock } from '#lib/clock.ts'
import { answerQuery } from './dns-answer.ts'
import { SWITCHBOARD_PORT_TAKEN } from './switchboard-errors.ts'
import { openRecord } from './switchboard-record.ts'

/** The proxy asks one question per connection. */
const LONGEST_CONNECTION_MS = 10_000
const MAX_CONNECTIONS = 512
/**
 * The proxy asks at most two questions at once. When this process hangs, the kernel accepts so few in its name that
 * the proxy's next ones are not accepted: it notices that at once, where it would wait seconds for an answer.
 */
const BACKLOG = 1
const MAX_QUERY_BYTES = 4_096
const FREE_PORT_TRIES = 20

export interface SwitchboardOptions {
  /** Holds `switchboard.json`; made when it is absent. */
  readonly folder: string
  /** host:port of the DNS answerer; port 0 takes a free one. */
  readonly listen: string
  /** Of the network that routed containers are in: the slots are taken from it. */
  readonly subnet: string
  readonly clock: Clock
}

export interface OpenSwitchboard extends Switchboard {
  /** host:port that DNS questions are answered on. */
  readonly resolver: string
  close(): Promise<void>
}

/**
 * Reads the record of the last run and answers DNS questions from it. The proxy asks over TCP: when this process dies
 * the kernel says so at once, while a lost UDP question would make every visitor wait 5 s. UDP is for people (`dig`).
 */
export async function openSwitchboard(options: SwitchboardOptions): Promise<OpenSwitchboard> {
  const { folder, listen, subnet, clock } = options
  const record = await openRecord(folder, subnet)
  const [host = '127.0.0.1', port = '0'] = listen.split(':')
  const addressOf = (name: string) => {
    const target = record.target(name)
    const [deployment = '', app = ''] = name.split('.')
    const earlier = target ? undefined : record.earlier(app).find(each => each.deployment === deployment)
    return target?.at?.ip ?? target?.ip ?? earlier?.ip
  }
  const doors = openDoors(await bindBoth(host, Number(port)), addressOf, clock)
  let closing: Promise<void> | undefined
  return {
    resolver: `${host}:${doors.port}`,
    slots: record.slots,
    ports: record.ports,
    async point(name, { ip, deployment, at }, holds = false) {
      if (!isIpv4(ip) || (at && !isIpv4(at.ip))) {
        throw BAD_INPUT('The target of a name', 'ip is not an IPv4 address')
      }
      await record.setTarget(name, { ip, deployment, since: clock.now(), ...(at ? { at } : {}) }, holds)
    },
    forget: record.forget,
    current(name) {
      const target = record.target(name)
      return (
        target && { ip: target.ip, deployment: target.deployment, ...(target.at ? { at: target.at } : {}) }
      )
    },
    earlier: {
      of: name => record.earlier(name).filter(({ state }) => state !== 'ending'),
      all: () => record.names().flatMap(name => record.earlier(name).map(each => ({ name, ...each }))),
      mark: record.markEarlier,
    },
    close() {
      closing ??= record.settled().then(doors.close)
      return closing
    },
  }
}

type AddressOf = (name: string) => string | undefined

/** Both ways to ask, on one port. */
function openDoors(
  { stream, datagrams }: Sockets,
  addressOf: AddressOf,
  clock: Clock,
): { readonly port: number; close(): Promise<void> } {
  const connections = new Set<Socket>()
  // A connection that cannot be accepted (no file descriptor left) must not end the worker.
  stream.on('error', () => {})
  stream.on('connection', connection => {
    connections.add(connection)
    const end = clock.after(LONGEST_CONNECTION_MS, () => connection.destroy())
    connection.once('close', () => {
      end.close()
      connections.delete(connection)
    })
    answerStream(connection, addressOf)
  })
  answerDatagrams(datagrams, addressOf)
  return {
    port: (stream.address() as AddressInfo).port,
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

interface Sockets {
  readonly stream: Server
  readonly datagrams: DatagramSocket
}

async function bindBoth(host: string, port: number): Promise<Sockets> {
  for (let tries = 1; ; tries++) {
    const stream = createServer()
    const datagrams = createSocket('udp4')
    try {
      stream.maxConnections = MAX_CONNECTIONS
      await once(stream.listen({ port, host, backlog: BACKLOG }), 'listening')
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

function answerDatagrams(socket: DatagramSocket, addressOf: AddressOf): void {
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
function answerStream(connection: Socket, addressOf: AddressOf): void {
  let held = Buffer.alloc(0)
  connection.on('error', () => connection.destroy())
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
