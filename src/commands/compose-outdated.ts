import { scalarText, shapeOf } from '#policy/shape.ts'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import type { Render } from './compose-model.ts'
import { serviceOf } from './compose-observe.ts'
import { LABEL } from './container-data.ts'

interface Running {
  readonly containers: readonly ContainerFacts[]
  /** What references mean on this host. */
  readonly imageIds: ReadonlyMap<string, string>
}

/** Services whose containers Compose will make anew: changed ones, and all that depend on them. */
export function outdatedServices(render: Render, { containers, imageIds }: Running): ReadonlySet<string> {
  const services = Object.entries(shapeOf(render.services)).map(([name, value]) => {
    const service = shapeOf(value)
    const hash = scalarText(shapeOf(service.labels)[LABEL.config])
    const imageId = imageIds.get(scalarText(service.image) ?? '')
    const own = containers.filter(each => serviceOf(each) === name)
    const current = own.filter(each => each.labels[LABEL.config] === hash && each.imageId === imageId)
    return {
      name,
      dependsOn: Object.keys(shapeOf(service.depends_on)),
      isOutdated: current.length === 0 || current.length < own.length,
    }
  })
  const changed = services.filter(each => each.isOutdated).map(each => each.name)
  return withDependents(changed, new Map(services.map(({ name, dependsOn }) => [name, dependsOn])))
}

/** These services and, as Compose does, every service that depends on one of them, over any number of steps. */
export function withDependents(
  names: readonly string[],
  dependencies: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const found = new Set(names)
  for (let size = -1; size !== found.size; ) {
    size = found.size
    for (const [name, dependsOn] of dependencies) {
      if (dependsOn.some(each => found.has(each))) {
        found.add(name)
      }
    }
  }
  return found
}
