import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'

/**
 * Started in a network namespace.
 *
 *   node network-probe.ts echo <tcp port> <udp port> …   echoes at these ports, over IPv4 and IPv6; prints "ready"
 *   node network-probe.ts ask                            asks for each line of JSON on its input whether somebody answers there
 */
export interface Question {
  readonly id: number
  readonly protocol: 'tcp' | 'udp'
  readonly address: string
  readonly port: number
  readonly withinMs: number
}

const QUESTION = 'GET / HTTP/1.0\r\n\r\n'
const AGAIN_MS = 200

const [word, ...ports] = process.argv.slice(2)
if (word === 'echo') {
  await echo(ports.map(Number))
} else if (word === 'ask') {
  for await (const line of createInterface({ input: process.stdin })) {
    const question = JSON.parse(line) as Question
    void answer(question)
  }
}

async function answer(question: Question): Promise<void> {
  const answered = await (question.protocol === 'tcp' ? askTcp : askUdp)(question)
  process.stdout.write(`${JSON.stringify({ id: question.id, answered })}\n`)
}

async function echo([tcp, udp, ...more]: readonly number[]): Promise<void> {
  await new Promise<void>(done => createServer(socket => socket.pipe(socket)).listen(tcp, '::', done))
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

function askUdp({ address, port, withinMs }: Question): Promise<boolean> {
  return new Promise(resolve => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    const send = () => socket.send('anybody there?', port, address)
    const again = setInterval(send, AGAIN_MS)
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
