import { parseReference } from '#formats/image-reference.ts'
import { asFairleadError } from '#lib/errors.ts'
import { scalarText, shapeOf } from '#policy/shape.ts'
import { type ImageFacts, inspectImage } from '#programs/docker-images.ts'
import type { Hands } from './command.ts'
import { COMPOSE_IMAGE_MISSING } from './compose-errors.ts'
import type { Render } from './compose-model.ts'
import { refuseForbiddenImage } from './container-policy.ts'
import type { RegistryData } from './image-data.ts'
import { pull } from './image-pull.ts'

export interface WantedImages {
  readonly render: Render
  readonly registries: readonly RegistryData[]
}

/** Brings what is not on this host and refuses what the host's policy does not let run. */
export async function fetchImages(
  hands: Hands,
  { render, registries }: WantedImages,
): Promise<ReadonlyMap<string, string>> {
  const references = Object.values(shapeOf(render.services)).flatMap(
    service => scalarText(shapeOf(service).image) ?? [],
  )
  const ids = new Map<string, string>()
  for (const reference of new Set(references)) {
    const { id } = await bringImage(hands, { reference, registries })
    ids.set(reference, id)
  }
  return ids
}

export interface WantedImage {
  readonly reference: string
  readonly registries: readonly RegistryData[]
}

/** The image as it is on this host, fetched when it is not. */
export async function bringImage(hands: Hands, { reference, registries }: WantedImage): Promise<ImageFacts> {
  const { dockerSocket } = hands.host
  let image = await hands.perform(inspectImage(dockerSocket, reference))
  if (!image && (await fetchImage(hands, reference, registries))) {
    image = await hands.perform(inspectImage(dockerSocket, reference))
  }
  if (!image) {
    throw COMPOSE_IMAGE_MISSING(reference, 'neither this host nor its registry has it')
  }
  await refuseForbiddenImage(hands, { reference, image })
  return image
}

async function fetchImage(
  hands: Hands,
  reference: string,
  registries: readonly RegistryData[],
): Promise<boolean> {
  const address = parseReference(reference)?.host ?? 'docker.io'
  const registry = registries.find(each => each.address === address) ?? {
    address,
    username: '',
    password: '',
  }
  hands.say(`fetching ${reference}`, 'info')
  try {
    return await pull(hands, withTag(reference), registry)
  } catch (thrown) {
    const error = asFairleadError(thrown)
    // The engine's own refusals, such as a registry that it cannot reach, do not say which image it was.
    throw error.code === 'ENGINE_REFUSED'
      ? COMPOSE_IMAGE_MISSING(reference, error.message).with({ cause: thrown })
      : thrown
  }
}

/** Without a tag the engine would fetch every tag. */
function withTag(reference: string): string {
  const parsed = parseReference(reference)
  return parsed && !parsed.tag && !parsed.digest ? `${reference}:latest` : reference
}
