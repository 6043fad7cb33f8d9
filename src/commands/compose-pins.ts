import { imageName, parseReference } from '#formats/image-reference.ts'
import { scalarText, shapeOf } from '#policy/shape.ts'
import type { ImageFacts } from '#programs/docker-images.ts'
import type { Hands } from './command.ts'
import { bringImage } from './compose-images.ts'
import type { Render } from './compose-model.ts'
import { projectContainers, serviceOf } from './compose-observe.ts'
import { LABEL } from './container-data.ts'
import type { RegistryData } from './image-data.ts'

export interface Pinning {
  readonly project: string
  /** With the labels that its containers shall have. */
  readonly render: Render
  /** Services whose images are built here: their names say what is in them. */
  readonly built: readonly string[]
  readonly registries: readonly RegistryData[]
  /** Service -> image by digest that it shall have, whatever runs. */
  readonly pins?: Readonly<Record<string, string>>
}

/**
 * Which image a tag of somebody else's registry means, by digest and for the life of the service: whoever moves the tag
 * changes nothing that runs, and going back brings the same image. Nothing for an image that was never in a registry.
 */
export async function pinImages(hands: Hands, pinning: Pinning): Promise<Readonly<Record<string, string>>> {
  const { project, render, built, registries, pins: wanted = {} } = pinning
  const tagged = Object.entries(shapeOf(render.services)).flatMap(([name, value]) => {
    const reference = scalarText(shapeOf(value).image)
    const parsed = reference === undefined ? undefined : parseReference(reference)
    return reference === undefined || built.includes(name) || !parsed || parsed.digest
      ? []
      : [{ name, reference, label: scalarText(shapeOf(shapeOf(value).labels)[LABEL.config]) }]
  })
  const running = tagged.length === 0 ? [] : await projectContainers(hands, project)
  const pins: Record<string, string> = {}
  for (const { name, reference, label } of tagged) {
    const before = running.find(each => serviceOf(each) === name && each.labels[LABEL.config] === label)
    const moved = wanted[name]
    if (moved !== undefined) {
      await bringImage(hands, { reference: moved, registries })
      pins[name] = moved
      continue
    }
    const pin =
      before?.image.includes('@sha256:') === true
        ? before.image
        : digestOf(reference, await bringImage(hands, { reference, registries }))
    if (pin === undefined) {
      hands.say(
        `${reference} has no digest: it was never in a registry, so its name alone says what runs`,
        'info',
      )
    } else {
      pins[name] = pin
    }
  }
  return pins
}

/** The render with images by digest. Labels stay: they compare what is wanted, and the tag is what is wanted. */
export function withPins(render: Render, pins: Readonly<Record<string, string>>): Render {
  const services = Object.entries(shapeOf(render.services)).map(([name, service]) => [
    name,
    pins[name] === undefined ? service : { ...shapeOf(service), image: pins[name] },
  ])
  return { ...render, services: Object.fromEntries(services) }
}

/** Docker Hub's own names are shortened in digests. */
export function digestOf(reference: string, image: ImageFacts): string | undefined {
  const parsed = parseReference(reference)
  const name = parsed ? imageName(parsed).replace(/^docker\.io\/(?:library\/)?/, '') : reference
  return image.digests.find(each => each.startsWith(`${name}@`))
}
