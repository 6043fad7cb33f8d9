import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'

/**
 * Started in a network namespace.
 *
 *   node network-probe.ts echo <tcp port> <udp port> …   echoes at these ports, over IPv4 and IPv6; prints "ready"
 *   node network-probe.ts ask                            asks for each line of JSON on its input whether somebody answers there
 *   node network-probe.ts watch <address> <kept tcp> <open udp> <closed tcp> <closed udp>
 *                                                        keeps one connection and makes new ones all the while; prints
 *                                                        what it has seen (Watched) for each line on its input
 */
export interface Question {
  readonly id: number
  readonly protocol: 'tcp' | 'udp'
  readonly address: string
  readonly port: number
  readonly withinMs: number
}

/** Counts from the beginning. One datagram is under way at a time, so that one without an answer was dropped. */
export interface Watched {
  /** Echoes over the connection that is kept. */
  readonly kept: number
  readonly isBroken: boolean
  /** Echoes of new UDP flows to the open port, and those that never came. */
  readonly answered: number
  readonly dropped: number
  /** Tries at the closed ports, and those that somebody answered. */
  readonly tried: number
  readonly leaked: number
}

const QUESTION = 'GET / HTTP/1.0\r\n\r\n'
const AGAIN_MS = 200
const WATCH_EVERY_MS = 2
const DROPPED_AFTER_MS = 30_000
const CLOSED_AFTER_MS = 20

const [word, ...ports] = process.argv.slice(2)
if (word === 'echo') {
  await echo(ports.map(Number))
} else if (word === 'ask') {
  for await (const line of createInterface({ input: process.stdin })) {
    const question = JSON.parse(line) as Question
    void answer(question)
  }
} else if (word === 'watch') {
  const [address = '', ...four] = ports
  await watch(address, four.map(Number))
}

async function watch(
  address: string,
  [kept = 0, open = 0, tcp = 0, udp = 0]: readonly number[],
): Promise<void> {
  const seen = { kept: 0, isBroken: false, answered: 0, dropped: 0, tried: 0, leaked: 0 }
  const connection = connect({ host: address, port: kept })
  const broken = () => {
    seen.isBroken = true
  }
  connection.on('connect', () => connection.write(QUESTION))
  connection.on('error', broken).on('end', broken)
  connection.on('data', () => {
    seen.kept += 1
    setTimeout(() => connection.write(QUESTION), WATCH_EVERY_MS)
  })
  const repeat = async (once: () => Promise<void>) => {
    for (;;) {
      await once()
      await new Promise(done => setTimeout(done, WATCH_EVERY_MS))
    }
  }
  const at = { id: 0, address }
  void repeat(async () => {
    const answered = await askOnce({ ...at, protocol: 'udp', port: open, withinMs: DROPPED_AFTER_MS })
    seen[answered ? 'answered' : 'dropped'] += 1
  })
  for (const [ask, protocol, port] of [
    [askTcp, 'tcp', tcp],
    [askOnce, 'udp', udp],
  ] as const) {
    void repeat(async () => {
      seen.leaked += (await ask({ ...at, protocol, port, withinMs: CLOSED_AFTER_MS })) ? 1 : 0
      seen.tried += 1
    })
  }
  for await (const _ of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(seen satisfies Watched)}\n`)
  }
}

async function answer(question: Question): Promise<void> {
  const answered = await (question.protocol === 'tcp' ? askTcp : askUdp)(question)
  process.stdout.write(`${JSON.stringify({ id: question.id, answered })}\n`)
}

async function echo([tcp, udp, ...more]: readonly number[]): Promise<void> {
  await new Promise<void>(done =>
    createServer(socket => {
      // Who asks may leave before it has heard the answer.
      socket.on('error', () => socket.destroy())
      socket.pipe(socket)
    }).listen(tcp, '::', done),
  )
  const socket = createSocket('udp6')
  socket.on('message', (text, { port, address }) => socket.send(text, port, address))
  await new Promise<void>(done => socket.bind(udp, '::', done))
  if (more.length > 0) {
    await echo(more)
    return
  }
  process.stdout.write('ready\n')
}

function askTcp({ address, port, withinMs }: Question): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: address, port })
    const answer = (answered: boolean) => {
      socket.destroy()
      resolve(answered)
    }
    setTimeout(() => answer(false), withinMs)
    socket.on('connect', () => socket.write(QUESTION))
    socket.on('data', () => answer(true))
    socket.on('error', () => answer(false))
    socket.on('end', () => answer(false))
  })
}

/** One datagram, which is not sent again. */
function askOnce(question: Question): Promise<boolean> {
  return askUdp(question, question.withinMs * 2)
}

function askUdp({ address, port, withinMs }: Question, againMs = AGAIN_MS): Promise<boolean> {
  return new Promise(resolve => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    const send = () => socket.send('anybody there?', port, address)
    const again = setInterval(send, againMs)
    const answer = (answered: boolean) => {
      clearInterval(again)
      clearTimeout(late)
      socket.close()
      resolve(answered)
    }
    const late = setTimeout(() => answer(false), withinMs)
    socket.once('message', () => answer(true))
    socket.on('error', () => undefined)
    send()
  })
}
