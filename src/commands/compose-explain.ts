import type { FairleadError } from '#lib/errors.ts'
import type { ComposeFailure } from '#programs/compose-failure.ts'
import { type ContainerFacts, findPublisher } from '#programs/docker-containers.ts'
import type { Hands } from './command.ts'
import {
  COMPOSE_BROKE_OFF,
  COMPOSE_IMAGE_MISSING,
  COMPOSE_PORT_TAKEN,
  COMPOSE_REFUSED,
  COMPOSE_SERVICE_EXITED,
  COMPOSE_SERVICE_UNHEALTHY,
} from './compose-errors.ts'
import { projectContainers, serviceOf } from './compose-observe.ts'
import { howItEnded } from './container-end.ts'
import { lastLines } from './container-lines.ts'

/** Compose's own words as an error of the catalogue, with the service, its exit code and its last log lines. */
export async function explainFailure(
  hands: Hands,
  project: string,
  failure: ComposeFailure,
): Promise<FairleadError> {
  if (failure.kind === 'image-missing') {
    return COMPOSE_IMAGE_MISSING(failure.image, 'it is not on this host')
  }
  if (failure.kind === 'port-taken') {
    const owners = await hands.perform(findPublisher(hands.host.dockerSocket, failure.port))
    const owner = owners.length > 0 ? `the container ${owners.join(', ')}` : ''
    return COMPOSE_PORT_TAKEN(failure.port, owner).with({ facts: { port: failure.port } })
  }
  if (failure.kind === 'broke-off') {
    return COMPOSE_BROKE_OFF(project, failure.text)
  }
  if (failure.kind === 'refused') {
    return COMPOSE_REFUSED(project, failure.text)
  }
  const name = failure.kind === 'unhealthy' ? failure.container : failure.name
  const container = (await projectContainers(hands, project)).find(
    each => each.name === name || serviceOf(each) === name,
  )
  const service = container ? serviceOf(container) : name
  const log = container ? await lastLines(hands, container.id) : []
  const error =
    failure.kind === 'unhealthy'
      ? unhealthy(service, container)
      : exited(service, failure.exitCode, container)
  return error.with({
    facts: {
      service,
      log,
      ...(container ? { container: container.name, exitCode: container.exitCode } : {}),
    },
  })
}

function unhealthy(service: string, container: ContainerFacts | undefined): FairleadError {
  return COMPOSE_SERVICE_UNHEALTHY(service, container?.healthLog.at(-1) ?? 'its health check fails')
}

function exited(service: string, exitCode: number, container: ContainerFacts | undefined): FairleadError {
  return COMPOSE_SERVICE_EXITED(service, container ? howItEnded(container) : `exit code ${exitCode}`)
}
