import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'

/** The way out for a machine that sees nothing but the address of this one. */
export interface Gateway {
  /** Takes clients of HTTPS to any server: for npm_config_https_proxy. */
  readonly proxy: string
}

/** Opens it at the address. The ports are those of servers on loopback here, which it finds at the same ports there. */
export async function openGateway(
  stack: AsyncDisposableStack,
  address: string,
  ports: readonly number[],
): Promise<Gateway> {
  for (const port of ports) {
    const forward = createTcpServer(socket => join(socket, connect(port, '127.0.0.1')))
    forward.listen(port, address)
    await once(forward, 'listening')
    stack.defer(() => void forward.close())
  }
  const proxy = createServer((_, answer) => answer.writeHead(405).end())
  proxy.on('connect', ({ url = '' }, socket: Socket, begun: Buffer) => {
    const { hostname, port } = new URL(`https://${url}`)
    const there = connect(Number(port) || 443, hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      there.write(begun)
    })
    join(socket, there)
  })
  proxy.listen(0, address)
  await once(proxy, 'listening')
  stack.defer(() => void proxy.close())
  return { proxy: `http://${address}:${(proxy.address() as AddressInfo).port}` }
}

function join(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one)
  one.on('error', () => other.destroy()).on('close', () => other.destroy())
  other.on('error', () => one.destroy()).on('close', () => one.destroy())
}
