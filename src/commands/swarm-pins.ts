import { parseReference } from '#formats/image-reference.ts'
import { scalarText, shapeOf } from '#policy/shape.ts'
import { inspectImage } from '#programs/docker-images.ts'
import type { SwarmService } from '#programs/swarm-facts.ts'
import type { Hands } from './command.ts'
import { bringImage } from './compose-images.ts'
import { deployedHash, serviceHash } from './compose-model.ts'
import { digestOf } from './compose-pins.ts'
import { LABEL } from './container-data.ts'
import type { RegistryData } from './image-data.ts'
import { SWARM_IMAGE_NOT_SHARED } from './swarm-errors.ts'
import type { StackModel } from './swarm-model.ts'
import { shortName } from './swarm-reach.ts'

export interface StackPinning {
  readonly stack: string
  readonly draft: StackModel
  /** Of built services, as they were pushed; or their names on this host, where there is no registry. */
  readonly built: Readonly<Record<string, string>>
  /** What tags mean by now that are followed, by digest: such a service does not keep what it runs. */
  readonly pins?: Readonly<Record<string, string>>
  readonly services: readonly SwarmService[]
  readonly nodes: number
  readonly registries: readonly RegistryData[]
}

/**
 * What the tasks of each service run: an image by digest, so that every node runs the same one, also one that joins
 * years later. A service that is as wanted keeps what it runs, whatever its tag means by now. Where nobody else shall
 * run it, the id of an image on this host does: the engine then asks no registry for it.
 */
export async function pinStack(
  hands: Hands,
  pinning: StackPinning,
): Promise<Readonly<Record<string, string>>> {
  const pins: Record<string, string> = {}
  for (const [name, value] of Object.entries(shapeOf(pinning.draft.services))) {
    const reference = pinning.built[name] ?? scalarText(shapeOf(value).image) ?? ''
    const moved = pinning.pins?.[name]
    pins[name] =
      (moved === undefined ? runsAlready(pinning, name) : undefined) ??
      (await pinOf(hands, pinning, moved ?? reference))
  }
  return pins
}

function runsAlready({ stack, draft, built, services }: StackPinning, name: string): string | undefined {
  const before = services.find(each => shortName(stack, each.name) === name)
  const hash = deployedHash({ hash: serviceHash(draft, name) }, undefined)
  return built[name] === undefined && before?.labels[LABEL.config] === hash && isExact(before.image)
    ? before.image
    : undefined
}

async function pinOf(hands: Hands, { registries, nodes }: StackPinning, reference: string): Promise<string> {
  if (parseReference(reference)?.digest) {
    await bringImage(hands, { reference, registries })
    return reference
  }
  const image = isExact(reference)
    ? await hands.perform(inspectImage(hands.host.dockerSocket, reference))
    : await bringImage(hands, { reference, registries })
  const digest = image && digestOf(reference, image)
  if (digest !== undefined) {
    return digest
  }
  if (nodes > 1) {
    throw SWARM_IMAGE_NOT_SHARED(reference, nodes)
  }
  return image?.id ?? reference
}

function isExact(image: string): boolean {
  return /(?:^|@)sha256:[0-9a-f]{64}$/.test(image)
}
