import type { ContainerFacts } from '#programs/docker-containers.ts'
import { listNamedVolumes, listVolumes, type NamedThing, removeVolume } from '#programs/docker-volumes.ts'
import type { Hands } from './command.ts'
import { type ContainerStartData, LABEL } from './container-data.ts'
import { VOLUME_TAKEN } from './container-errors.ts'
import { keptByOthers, noteKeptVolumes } from './kept-volumes.ts'

/** What others than an app of the target `container` write on what they make. */
const OTHERS_LABELS = ['com.docker.compose.project', 'com.docker.stack.namespace'] as const

/** What a volume of an app is called on its engine. `-` stands in names too, so that two apps can mean the same one. */
export function volumeName(app: string, name: string): string {
  return `${app}-${name}`
}

type Wishes = Pick<ContainerStartData, 'app' | 'volumes'>

/**
 * Refuses volumes that somebody else has: the engine mounts what has the name, whoever made it. Own is what carries the
 * app's label, as everything does that a deployment of it made, or what its containers mount already (it was made by hand
 * before there was a label to ask for), unless another repository left it here under the same name. Gives those that are
 * still to be made: look at them again once they are there.
 */
export async function refuseForeignVolumes(
  hands: Hands,
  { app, volumes }: Wishes,
  containers: readonly ContainerFacts[],
): Promise<Wishes> {
  const names = volumes.map(({ name }) => volumeName(app, name))
  if (names.length === 0) {
    return { app, volumes }
  }
  const present = await hands.perform(listNamedVolumes(hands.host.dockerSocket, names))
  const left = await keptByOthers(hands, {
    ...{ app, shelf: shelfOf(hands, app), volumes: names },
    present: present.map(({ name }) => name),
  })
  const mounted = new Set(containers.flatMap(each => each.volumes ?? []))
  for (const volume of present) {
    const owner = left.get(volume.name) ?? ownerOf(volume, { app, mounted })
    if (owner !== undefined) {
      refuse(hands, { app, name: volume.name, owner })
    }
  }
  return {
    app,
    volumes: volumes.filter(({ name }) => !present.some(each => each.name === volumeName(app, name))),
  }
}

/** Undefined: it is the app's own. */
function ownerOf(
  { name, labels }: NamedThing,
  { app, mounted }: { readonly app: string; readonly mounted: ReadonlySet<string> },
): string | undefined {
  const [project, stack] = OTHERS_LABELS.map(label => labels[label])
  if (project !== undefined || stack !== undefined) {
    return project === undefined ? `the stack "${stack}"` : `the Compose project "${project}"`
  }
  const made = labels[LABEL.app]
  if (made === app || (made === undefined && mounted.has(name))) {
    return undefined
  }
  return made === undefined ? '' : `the app "${made}"`
}

interface Refused {
  readonly app: string
  readonly name: string
  readonly owner: string
}

function refuse({ host: { policy }, say }: Hands, { app, name, owner }: Refused): void {
  if (policy.adopt?.[app]?.includes(name)) {
    return
  }
  const refusal = VOLUME_TAKEN(app, name, owner)
  if (policy.mode === 'enforce') {
    throw refusal
  }
  say(`warning: ${refusal.message}`, 'info')
}

/** Writes down whose the volumes are that an app leaves here: its name is free for everybody from then on. */
export async function noteLeftVolumes(hands: Hands, app: string): Promise<void> {
  await noteKeptVolumes(hands, { app, shelf: shelfOf(hands, app), label: `${LABEL.app}=${app}` })
}

/** Deletes the volumes of an app, but for those that an app of this name of another repository left here. */
export async function removeVolumes(hands: Hands, app: string): Promise<string[]> {
  const { dockerSocket } = hands.host
  const present = await hands.perform(listVolumes(dockerSocket, [`${LABEL.app}=${app}`]))
  const left =
    present.length === 0
      ? new Map()
      : await keptByOthers(hands, { app, shelf: shelfOf(hands, app), volumes: present, present })
  const own = present.filter(name => !left.has(name))
  for (const name of own) {
    await hands.perform(removeVolume(dockerSocket, name))
    hands.say(`volume ${name} deleted`, 'info')
  }
  return own
}

/** With a dot, so that it is no Compose project's or stack's. */
function shelfOf({ host: { engine } }: Hands, app: string): string {
  return `app.${app}${engine ? `@${engine.name}` : ''}`
}
