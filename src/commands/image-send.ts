import { pushImage } from '#programs/docker-images.ts'
import type { Hands } from './command.ts'
import { engineCredential, type RegistryData } from './image-data.ts'
import { REGISTRY_FAILED } from './image-errors.ts'
import { transferFailure } from './image-failure.ts'
import { createTransferReport } from './image-progress.ts'
import { explainStuckPush } from './image-push-fault.ts'

interface Sent {
  readonly reference: string
  readonly registry: RegistryData
}

/** Pushes and gives the digest. A second try only when the registry, asked directly, takes data again. */
export async function sendImage(hands: Hands, data: Sent, repository: string): Promise<string> {
  try {
    return await pushOnce(hands, data, repository)
  } catch (error) {
    if (!(error instanceof StuckPush)) {
      throw error
    }
    const fault = await explainStuckPush(hands, data.registry, repository)
    if (fault) {
      throw fault
    }
  }
  hands.say('the registry takes data again; trying once more', 'info')
  try {
    return await pushOnce(hands, data, repository)
  } catch (error) {
    throw error instanceof StuckPush ? REGISTRY_FAILED(data.registry.address, 'it broke off twice') : error
  }
}

/** Ends a push that the engine would go on retrying for a minute. */
class StuckPush extends Error {}

async function pushOnce(hands: Hands, data: Sent, repository: string): Promise<string> {
  const report = createTransferReport(hands, 'pushed')
  const { address } = data.registry
  let digest: string | undefined
  await hands.perform(
    pushImage(hands.host.dockerSocket, {
      reference: data.reference,
      credential: engineCredential(data.registry),
      onEvent: event => {
        report.show(event)
        if (event.kind === 'failed') {
          throw transferFailure({ address, repository, doing: 'push' }, event.reason)
        }
        if (event.kind === 'retrying') {
          hands.say('the registry does not take the image', 'stderr')
          throw new StuckPush(event.text)
        }
        if (event.kind === 'digest') {
          digest = event.digest
        }
      },
    }),
  )
  if (digest === undefined) {
    throw REGISTRY_FAILED(address, 'the engine ended the push without a digest')
  }
  return digest
}
