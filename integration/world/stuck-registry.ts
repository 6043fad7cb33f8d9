import { once } from 'node:events'
import { createServer, request as send } from 'node:https'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { certificateIn } from '#cli/demo/certificate.ts'
import { freePort } from '#cli/demo/free-port.ts'
import { startRegistry } from '#cli/demo/registry.ts'
import type { System } from './system.ts'

/** The system's registry with a person in between who may stop answering. */
export interface StuckRegistry {
  /** Requests that are taken and never answered; undefined: none. */
  stuckAt: RegExp | undefined
  /** Requests that got stuck so far. */
  stuck: number
}

/** Puts itself in the place of the system's registry, which goes on behind it. */
export async function stickRegistry(stack: AsyncDisposableStack, system: System): Promise<StuckRegistry> {
  const { folder } = system.registryOptions
  const port = Number(system.registry.address.split(':')[1])
  await system.registry.close()
  const behind = await freePort()
  const real = await startRegistry({ ...system.registryOptions, port: behind })
  stack.defer(real.close)
  const { certificate, key } = await certificateIn(join(folder, 'certificate'))
  const registry: StuckRegistry = { stuckAt: undefined, stuck: 0 }
  const server = createServer({ cert: certificate, key }, (request, response) => {
    if (registry.stuckAt?.test(`${request.method} ${request.url}`)) {
      registry.stuck += 1
      return
    }
    const { method = 'GET', url: path = '/', headers } = request
    const onward = send({ host: '127.0.0.1', port: behind, method, path, headers, ca: real.ca, agent: false })
    onward.on('response', answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      pipeline(answer, response).catch(() => response.destroy())
    })
    onward.on('error', () => response.destroy())
    pipeline(request, onward).catch(() => onward.destroy())
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  return registry
}
