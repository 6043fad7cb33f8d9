import { type Shape, scalarText, shapeOf, shapesOf } from '#policy/shape.ts'
import type { StackFile } from '#policy/stack-file.ts'
import type { RenderedService } from './compose-data.ts'
import { deployedHash, OWN_KEY, type OwnPart, type Render, serviceHash } from './compose-model.ts'
import { LABEL } from './container-data.ts'
import type { StackPort, StackService } from './swarm-data.ts'

/** Secrets and configs by their keys in the files: the name in the swarm, and what is in them. */
export type StackContents = Readonly<Record<string, { readonly name: string; readonly content: string }>>

/** Our own part of a rendered stack; never given to the CLI. */
export interface StackPart extends OwnPart {
  readonly secrets: StackContents
  readonly configs: StackContents
  /** Services have their images, by digest. */
  readonly isFinal: boolean
}

export type StackModel = Render & { readonly [OWN_KEY]: StackPart }

export function isStackModel(render: Render): render is StackModel {
  return 'isFinal' in render[OWN_KEY]
}

/** What is handed to `docker stack deploy`. */
export function fileOf({ [OWN_KEY]: _, ...file }: StackModel): Shape {
  return file
}

export function describeStack(
  file: StackFile['file'],
  composed: Readonly<Record<string, RenderedService>>,
): Record<string, StackService> {
  return Object.fromEntries(
    Object.entries(shapeOf(file.services)).map(([name, value]) => {
      const service = shapeOf(value)
      const build = composed[name]?.build
      const image = scalarText(service.image)
      const { replicas, update_config: update } = shapeOf(service.deploy)
      const described: StackService = {
        hash: serviceHash(file, name),
        ...(build ? { build } : image === undefined ? {} : { image }),
        ...(replicas === undefined ? {} : { replicas: Number(replicas) }),
        ports: portsOf(service),
        isBeside: shapeOf(update).order === 'start-first',
        volumes: shapesOf(service.volumes).flatMap(mount =>
          mount.type === 'volume' ? [scalarText(mount.source) ?? String(mount.target)] : [],
        ),
      }
      return [name, described]
    }),
  )
}

export function portsOf(service: Shape): StackPort[] {
  return shapesOf(service.ports).map(({ target, published, protocol, mode }) => ({
    target: Number(target),
    published: Number(published),
    protocol: scalarText(protocol) ?? 'tcp',
    mode: scalarText(mode) ?? 'ingress',
  }))
}

export interface StackImages {
  /** Of built services: the names that their content gives them. */
  readonly content: Readonly<Record<string, string>>
  /** Of every service: what its tasks run, by digest (or by id in a swarm of one node). */
  readonly run: Readonly<Record<string, string>>
}

/** The stack as it is deployed. Only the service is labelled: a label of a container would be taken for one of ours. */
export function withStackImages(draft: StackModel, { content, run }: StackImages): StackModel {
  const services = Object.entries(shapeOf(draft.services)).map(([name, value]) => {
    const service = shapeOf(value)
    const deploy = shapeOf(service.deploy)
    const labels = {
      ...shapeOf(deploy.labels),
      [LABEL.app]: draft[OWN_KEY].app,
      [LABEL.config]: deployedHash({ hash: serviceHash(draft, name) }, content[name]),
    }
    return [name, { ...service, image: run[name] ?? service.image, deploy: { ...deploy, labels } }]
  })
  const { source: _, ...own } = draft[OWN_KEY]
  return {
    ...draft,
    services: Object.fromEntries(services),
    [OWN_KEY]: { ...own, isFinal: true },
  }
}

export interface StackServiceWish {
  readonly name: string
  readonly image: string
  readonly configHash: string
  readonly ports: readonly StackPort[]
}

/** What a deployed stack must look like. */
export function wishesOf(model: StackModel): readonly StackServiceWish[] {
  return Object.entries(shapeOf(model.services)).map(([name, value]) => {
    const service = shapeOf(value)
    return {
      name,
      image: scalarText(service.image) ?? '',
      configHash: scalarText(shapeOf(shapeOf(service.deploy).labels)[LABEL.config]) ?? '',
      ports: portsOf(service),
    }
  })
}
