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
  /** From now on such requests are taken and never answered. */
  stick(where: RegExp): void
  free(where: RegExp): void
  /** How many of them got stuck so far. */
  stuck(where: RegExp): number
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
  const stuck = new Map<string, number>()
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const wanted = `${request.method} ${request.url}`
    const where = [...stuck.keys()].find(each => new RegExp(each).test(wanted))
    if (where !== undefined) {
      stuck.set(where, (stuck.get(where) ?? 0) + 1)
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
  return {
    stick: where => void stuck.set(where.source, 0),
    free: where => void stuck.delete(where.source),
    stuck: where => stuck.get(where.source) ?? 0,
  }
}
