import { parseReference } from '#formats/image-reference.ts'
import { pullImage } from '#programs/docker-images.ts'
import type { Hands } from './command.ts'
import { engineCredential, type RegistryData } from './image-data.ts'
import { transferFailure } from './image-failure.ts'
import { createTransferReport } from './image-progress.ts'

/** Fetches an image with a registry's credential. False when the registry does not have it. */
export async function pull(hands: Hands, reference: string, registry: RegistryData): Promise<boolean> {
  const report = createTransferReport(hands, 'fetched')
  const repository = parseReference(reference)?.repository ?? reference
  const { address } = registry
  const found = await hands.perform(
    pullImage(hands.host.dockerSocket, {
      reference,
      credential: engineCredential(registry),
      onEvent: event => {
        report.show(event)
        if (event.kind === 'failed') {
          throw transferFailure({ address, repository, doing: 'pull' }, event.reason)
        }
      },
    }),
  )
  return found
}
