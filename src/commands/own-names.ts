import { isOn, type Shape, scalarText, shapeOf } from '#policy/shape.ts'
import { listNamedNetworks } from '#programs/docker-networks.ts'
import { listServices, NAMESPACE_LABEL } from '#programs/docker-swarm.ts'
import { listNamedVolumes, type NamedThing } from '#programs/docker-volumes.ts'
import type { Hands } from './command.ts'
import { PROJECT_LABEL } from './compose-data.ts'
import { NAME_TAKEN } from './compose-errors.ts'
import { readOwner } from './compose-store.ts'
import { keptByOthers } from './kept-volumes.ts'

export interface Naming {
  readonly app: string
  /** Of the stack or the Compose project. */
  readonly name: string
  readonly kind: 'stack' | 'project'
  /** What is kept of it on this host. */
  readonly shelf: string
  /** What will be deployed. */
  readonly model: Shape
}

/** A Compose project has nothing of the kind of engines in the name of its folder. */
export function ownNames({ app, project }: { readonly app: string; readonly project: string }) {
  return { app, name: project, kind: 'project', shelf: project } as const
}

/**
 * Refuses names of volumes and networks that somebody else has: the engine takes what has a name, whoever made it, and
 * `my` with the key `shop_data` means the same name as `my_shop` with the key `data`. Nor is what another repository left
 * under the same name the data of whoever has that name now.
 */
export async function refuseForeignNames(hands: Hands, naming: Naming): Promise<void> {
  const { dockerSocket, policy } = hands.host
  const volumes = namesOf(naming, 'volumes')
  const networks = namesOf(naming, 'networks')
  const [ofVolumes, ofNetworks, services] = await Promise.all([
    volumes.length === 0 ? [] : hands.perform(listNamedVolumes(dockerSocket, volumes)),
    networks.length === 0 ? [] : hands.perform(listNamedNetworks(dockerSocket, networks)),
    // Volumes of other nodes are not seen from here, but who mounts them is.
    volumes.length === 0 || naming.kind === 'project' ? [] : hands.perform(listServices(dockerSocket)),
  ])
  const mounted = services.flatMap(({ labels, containerSpec }) =>
    volumesIn(containerSpec).map(({ name }) => ({
      name,
      labels: { [NAMESPACE_LABEL]: labels[NAMESPACE_LABEL] ?? '' },
    })),
  )
  const present = ofVolumes.map(({ name }) => name)
  const { app, shelf } = naming
  const left = volumes.length === 0 ? new Map() : await keptByOthers(hands, { app, shelf, volumes, present })
  const found = [
    ...[...ofVolumes, ...mounted.filter(({ name }) => volumes.includes(name))].map(each => ({
      ...each,
      kind: 'volume',
    })),
    ...ofNetworks.map(each => ({ ...each, kind: 'network' })),
  ].filter(({ kind, name }) => kind !== 'volume' || !left.has(name))
  const wasOurs = found.some(each => isOfOtherKind(naming, each.labels))
    ? (await readOwner(hands, naming.shelf))?.app === naming.app
    : false
  const foreign = found.filter(
    ({ labels }) => !(isOwn(naming, labels) || (wasOurs && isOfOtherKind(naming, labels))),
  )
  const taken = [
    ...foreign.map(({ kind, name, labels }) => ({ kind, name, owner: ownerIn(labels) })),
    ...[...left].map(([name, owner]) => ({ kind: 'volume', name, owner })),
  ].filter(({ name }) => !policy.adopt?.[naming.name]?.includes(name))
  for (const { kind, name, owner } of taken) {
    const refusal = NAME_TAKEN(kind, name, owner, naming.name)
    if (policy.mode === 'enforce') {
      throw refusal
    }
    hands.say(`warning: ${refusal.message}`, 'info')
  }
}

/** Those that the engine makes unless they are there: for others the files say `external`, which the policy judges. */
function namesOf({ name, model }: Naming, kind: 'volumes' | 'networks'): string[] {
  return Object.entries(shapeOf(model[kind])).flatMap(([key, value]) => {
    const { external, name: written } = shapeOf(value)
    return isOn(external) ? [] : [scalarText(written) ?? `${name}_${key}`]
  })
}

/** The volumes that a service mounts, as the engine holds it, with the labels that each node makes them with. */
export function volumesIn(containerSpec: unknown): NamedThing[] {
  const { Mounts: mounts } = shapeOf(containerSpec)
  return (Array.isArray(mounts) ? mounts : []).flatMap(mount => {
    const { Type: type, Source: name, VolumeOptions: options } = shapeOf(mount)
    const labels = shapeOf(shapeOf(options).Labels) as NamedThing['labels']
    return type === 'volume' && typeof name === 'string' ? [{ name, labels }] : []
  })
}

type Labels = Readonly<Record<string, string>>

/** Files can write labels too, but not the one of their own kind: so every label that is there must say it. */
function isOwn({ name, kind }: Naming, labels: Labels): boolean {
  const [own, other] = kind === 'stack' ? [NAMESPACE_LABEL, PROJECT_LABEL] : [PROJECT_LABEL, NAMESPACE_LABEL]
  return labels[own] === name && (labels[other] ?? name) === name
}

/** An app that was a project of this name and is a stack now, or the other way round. */
function isOfOtherKind({ name, kind }: Naming, labels: Labels): boolean {
  const [own, other] = kind === 'stack' ? [NAMESPACE_LABEL, PROJECT_LABEL] : [PROJECT_LABEL, NAMESPACE_LABEL]
  return labels[other] === name && labels[own] === undefined
}

function ownerIn(labels: Labels): string {
  const stack = labels[NAMESPACE_LABEL]
  const project = labels[PROJECT_LABEL]
  if (stack !== undefined) {
    return stack === '' ? 'a service of no stack' : `the stack "${stack}"`
  }
  return project === undefined ? '' : `the Compose project "${project}"`
}
