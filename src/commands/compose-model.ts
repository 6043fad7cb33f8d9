import { createHash } from 'node:crypto'
import { posix, relative } from 'node:path'
import { canonicalJson } from '#lib/canonical-json.ts'
import { replicasOf } from '#policy/compose-network.ts'
import { isOn, listOf, type Shape, scalarText, shapeOf, shapesOf } from '#policy/shape.ts'
import { reasonsToBeAlone } from './compose-beside.ts'
import type { RenderedService, RoutePlace, ServiceBuild } from './compose-data.ts'
import { LABEL } from './container-data.ts'

/** Our own part of a rendered configuration; Compose ignores keys that begin with x-. */
export const OWN_KEY = 'x-fairlead'

/** In a secret that is a file by now: the variable that its value came from. */
export const VARIABLE_KEY = 'x-environment'

export interface OwnPart {
  readonly app: string
  readonly routes: readonly RoutePlace[]
  /** Paths of the repository that services mount -> id of their content. */
  readonly mounts: Readonly<Record<string, string>>
  /** Where the content comes from; only while the images are not filled in yet. */
  readonly source?: { readonly repository: string; readonly commit: string }
}

/** A rendered configuration, read or about to be written. */
export type Render = Shape & { readonly [OWN_KEY]: OwnPart }

export function renderText(render: Shape): string {
  return canonicalJson(render)
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** What the label of a service's containers says: the rendered service and the image that was built for it. */
export function deployedHash(service: Pick<RenderedService, 'hash'>, builtImage: string | undefined): string {
  return builtImage === undefined ? service.hash : hashOf(`${service.hash}\n${builtImage}`)
}

/** What the manager is told of each service; paths are from the root of the checkout. */
export function describeServices(
  model: Shape,
  checkout: string,
  sharedVolumes: readonly string[],
): Record<string, RenderedService> {
  const described = Object.entries(shapeOf(model.services)).map(([name, value]) => {
    const service = shapeOf(value)
    const build =
      service.build === undefined ? undefined : describeBuild(model, shapeOf(service.build), checkout)
    const image = scalarText(service.image)
    const facts: RenderedService = {
      hash: serviceHash(model, name),
      ...(build ? { build } : image ? { image } : {}),
      dependsOn: Object.keys(shapeOf(service.depends_on)).sort(),
      replicas: replicasOf(service),
      mayComplete: !restartsAlways(service),
      alone: [...reasonsToBeAlone(model, name, sharedVolumes)],
      ports: shapesOf(service.ports).map(({ published, target, protocol, host_ip: address }) => ({
        published: scalarText(published) ?? '',
        target: Number(target),
        ...(scalarText(protocol) ? { protocol: String(protocol) } : {}),
        ...(scalarText(address) ? { address: String(address) } : {}),
      })),
    }
    return [name, facts] as const
  })
  return Object.fromEntries(described)
}

/** Whether the engine starts it again when it ends with 0. */
export function restartsAlways(service: Shape): boolean {
  const policy =
    scalarText(service.restart) ??
    scalarText(shapeOf(shapeOf(service.deploy).restart_policy).condition) ??
    'no'
  return isOn(policy) && !policy.startsWith('on-failure') && policy !== 'none'
}

/** Over the service and all it uses of the rest; not over how its image is built: that is in the image's name. */
export function serviceHash(model: Shape, name: string): string {
  const { build, image, ...service } = shapeOf(shapeOf(model.services)[name])
  const used = (kind: string, names: readonly string[]) =>
    Object.fromEntries(names.map(each => [each, shapeOf(model[kind])[each] ?? null]))
  const parts = {
    version: 1,
    service,
    image: build === undefined ? image : 'built',
    networks: used('networks', Object.keys(shapeOf(service.networks))),
    volumes: used(
      'volumes',
      namesIn(service.volumes, mount => mount.type === 'volume'),
    ),
    secrets: used('secrets', namesIn(service.secrets)),
    configs: used('configs', namesIn(service.configs)),
  }
  return hashOf(canonicalJson(parts))
}

/**
 * The configuration as it is deployed: images by name instead of builds, and labels that say whose containers these are
 * and what they were made from. No id of a deployment: it would make every container anew each time.
 */
export function withImages(draft: Render, images: Readonly<Record<string, string>>): Render {
  const services = Object.entries(shapeOf(draft.services)).map(([name, value]) => {
    const { build, ...service } = shapeOf(value)
    const built = build === undefined ? undefined : images[name]
    const labels = {
      ...shapeOf(service.labels),
      [LABEL.app]: draft[OWN_KEY].app,
      [LABEL.config]: deployedHash({ hash: serviceHash(draft, name) }, built),
    }
    return [name, { ...service, ...(built === undefined ? {} : { image: built }), labels }]
  })
  const { source: _, ...own } = draft[OWN_KEY]
  return { ...draft, services: Object.fromEntries(services), [OWN_KEY]: own }
}

/** A deployed configuration with other names for its images; a label changes with the name, as for built images. */
export function renamedImages(render: Render, images: Readonly<Record<string, string>>): Render {
  const services = Object.entries(shapeOf(render.services)).map(([name, value]) => {
    const service = shapeOf(value)
    const image = images[name]
    if (image === undefined) {
      return [name, service]
    }
    const labels = shapeOf(service.labels)
    const hash = deployedHash({ hash: scalarText(labels[LABEL.config]) ?? '' }, image)
    return [name, { ...service, image, labels: { ...labels, [LABEL.config]: hash } }]
  })
  return { ...render, services: Object.fromEntries(services) }
}

/** Services that are built but have no image yet. */
export function unbuilt(draft: Render, images: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(shapeOf(draft.services))
    .filter(([name, service]) => shapeOf(service).build !== undefined && images[name] === undefined)
    .map(([name]) => name)
}

function namesIn(value: unknown, isMeant = (_entry: Shape) => true): string[] {
  return shapesOf(value)
    .filter(isMeant)
    .flatMap(entry => scalarText(entry.source) ?? [])
}

function describeBuild(model: Shape, build: Shape, checkout: string): ServiceBuild {
  const context = relative(checkout, scalarText(build.context) ?? checkout) || '.'
  const dockerfile = posix.join(context, scalarText(build.dockerfile) ?? 'Dockerfile')
  const target = scalarText(build.target)
  return {
    context,
    dockerfile,
    args: Object.fromEntries(
      Object.entries(shapeOf(build.args)).flatMap(([key, value]) => {
        const text = scalarText(value)
        return text === undefined ? [] : [[key, text.replaceAll('$$', '$')]]
      }),
    ),
    ...(target ? { target } : {}),
    secrets: Object.fromEntries(
      listOf(build.secrets).flatMap(entry => {
        const id = scalarText(shapeOf(entry).source) ?? ''
        const variable = scalarText(shapeOf(shapeOf(model.secrets)[id])[VARIABLE_KEY])
        return variable === undefined ? [] : [[scalarText(shapeOf(entry).target) ?? id, variable]]
      }),
    ),
  }
}
