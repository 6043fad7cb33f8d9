import { scalarText, shapeOf } from '#policy/shape.ts'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import { expectedServices } from './compose-judge.ts'
import type { Render } from './compose-model.ts'
import { serviceOf } from './compose-observe.ts'
import { LABEL } from './container-data.ts'

interface Present {
  readonly containers: readonly ContainerFacts[]
  /** What references mean on this host. */
  readonly imageIds: ReadonlyMap<string, string>
}

/** Is there anything for Compose to make, make anew or remove? */
export function differs(render: Render, { containers, imageIds }: Present): boolean {
  const services = shapeOf(render.services)
  const isCurrent = (container: ContainerFacts) => {
    const service = shapeOf(services[serviceOf(container)])
    return (
      container.labels[LABEL.config] === scalarText(shapeOf(service.labels)[LABEL.config]) &&
      container.imageId === imageIds.get(scalarText(service.image) ?? '')
    )
  }
  const current = containers.filter(isCurrent)
  return (
    current.length < containers.length ||
    expectedServices(render).some(
      ({ name, replicas }) => current.filter(each => serviceOf(each) === name).length !== replicas,
    )
  )
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
