import { once } from 'node:events'
import { createServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Api } from '#manager/api/shape.ts'
import { shouldUpgrade, takeUpgrades } from '#manager/api/upgrades.ts'
import { SERVER_TIMES } from '#manager/server-times.ts'
import { notePeerSocket } from './peer-sockets.ts'
import { type PeerKeys, peerTls } from './peer-tls.ts'
import type { PeersConfig } from './peers-config.ts'

/**
 * Takes the requests that managers which stand by forward. Only who leads listens there, and what comes in there is
 * answered here: no request goes in a circle.
 */
export async function listenToPeers(
  api: Api,
  { listen }: Pick<PeersConfig, 'listen'>,
  keys: PeerKeys,
): Promise<{ close(): Promise<void> }> {
  const server = createServer({
    ...peerTls(keys),
    ...SERVER_TIMES,
    requestCert: true,
    shouldUpgradeCallback: shouldUpgrade,
  })
  server.on('secureConnection', (socket: Socket) => notePeerSocket(socket))
  server.on('request', api.routing)
  takeUpgrades(api, server)
  server.listen(listen.port, listen.host)
  await once(server, 'listening')
  return {
    async close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
