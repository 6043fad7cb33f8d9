import type { FairleadError } from '#lib/errors.ts'
import { findPublisher } from '#programs/docker-containers.ts'
import type { Hands } from './command.ts'
import { CONTAINER_START_REFUSED, PORT_TAKEN } from './container-errors.ts'

const PORT_IN_USE = /(?:Bind for|listen (?:tcp|udp)[46]?) [^\s]*:(\d+).*(?:already allocated|already in use)/

/** Why the engine did not start a container; for a port that is taken, by whom. */
export async function explainRefusal(hands: Hands, app: string, reason: string): Promise<FairleadError> {
  const port = PORT_IN_USE.exec(reason)?.[1]
  if (port === undefined) {
    return CONTAINER_START_REFUSED(app, reason)
  }
  const owners = await hands.perform(findPublisher(hands.host.dockerSocket, Number(port)))
  const owner = owners.length > 0 ? `the container ${owners.join(', ')}` : ''
  return PORT_TAKEN(port, owner).with({ facts: { port: Number(port) } })
}
