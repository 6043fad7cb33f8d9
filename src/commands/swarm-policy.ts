import { parseReference } from '#formats/image-reference.ts'
import { inspectImage } from '#programs/docker-images.ts'
import type { Hands } from './command.ts'
import { OWN_KEY } from './compose-model.ts'
import { refuseForbiddenImage } from './container-policy.ts'
import { IMAGE_REGISTRY_REFUSED } from './image-errors.ts'
import { refuseForbiddenRender } from './stored-policy.ts'
import { type StackModel, wishesOf } from './swarm-model.ts'
import { shelfOf } from './swarm-shelves.ts'

/** Refuses a rendered stack that the host's policy of today forbids, and images of a release from elsewhere. */
export async function refuseForbiddenStack(
  hands: Hands,
  name: string,
  { hash, model }: { readonly hash: string; readonly model: StackModel },
): Promise<void> {
  await refuseForbiddenRender(hands, { name, shelf: shelfOf(hands.host, name), hash, render: model })
  // Those of a draft are looked at when they are pinned.
  if (model[OWN_KEY].isFinal) {
    for (const image of new Set(wishesOf(model).map(each => each.image))) {
      await refuseImage(hands, image)
    }
  }
}

/** The swarm may have it on other nodes only: then its name says where it is from. */
async function refuseImage(hands: Hands, reference: string): Promise<void> {
  const { dockerSocket, policy } = hands.host
  if (policy.registries.length === 0) {
    return
  }
  const image = await hands.perform(inspectImage(dockerSocket, reference))
  const from = parseReference(reference)?.host ?? 'docker.io'
  if (image) {
    await refuseForbiddenImage(hands, { reference, image })
  } else if (!policy.registries.includes(from)) {
    throw IMAGE_REGISTRY_REFUSED(from)
  }
}
