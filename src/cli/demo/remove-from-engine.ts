import { APP_NAME_IN_USE } from '#cli/errors.ts'
import { callEngine, DOCKER_SOCKET, listFromEngine } from './engine.ts'

export interface Leftovers {
  /** Name of the demo's network: its containers go with it. */
  readonly network: string
  /** Compose projects and apps of this demo. */
  readonly apps?: readonly string[]
  /** Containers that were there before and are none of ours. */
  readonly except?: readonly string[]
  /** Images whose names begin with one of these. */
  readonly images?: readonly string[]
}

interface EngineContainer {
  readonly Id: string
  readonly Labels: Readonly<Record<string, string>>
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, unknown>> }
}

interface EngineImage {
  readonly Id: string
  readonly RepoTags: readonly string[] | null
  readonly RepoDigests: readonly string[] | null
}

interface Labelled {
  /** Volumes have only a name. */
  readonly Id?: string
  readonly Name: string
}

const APP = 'io.fairlead.app'
const PROJECT = 'com.docker.compose.project'

/** Removes what a demo left in the engine; what is gone already is no error. */
export async function removeFromEngine(leftovers: Leftovers): Promise<void> {
  await sweepEngine(leftovers)
}

/** The same, and gives how many containers there were. */
export async function sweepEngine(leftovers: Leftovers): Promise<number> {
  const { network, apps = [], except = [], images = [] } = leftovers
  const containers = await listFromEngine<EngineContainer>(DOCKER_SOCKET, '/containers/json', {})
  const ours = containers.filter(
    ({ Id, Labels, NetworkSettings }) =>
      network in NetworkSettings.Networks ||
      (!except.includes(Id) && apps.some(app => Labels[APP] === app || Labels[PROJECT] === app)),
  )
  for (const { Id } of ours) {
    await remove(`/containers/${Id}?force=true&v=true`)
  }
  for (const { Id, RepoTags, RepoDigests } of await listFromEngine<EngineImage>(
    DOCKER_SOCKET,
    '/images/json',
    {},
  )) {
    const names = [...(RepoTags ?? []), ...(RepoDigests ?? [])]
    if (names.some(name => images.some(prefix => name.startsWith(prefix)))) {
      await remove(`/images/${Id}?force=true`)
    }
  }
  for (const app of apps) {
    await removeLabelled('/networks', app)
    await removeLabelled('/volumes', app)
  }
  await remove(`/networks/${encodeURIComponent(network)}`)
  return ours.length
}

async function removeLabelled(path: '/networks' | '/volumes', app: string): Promise<void> {
  for (const label of [`${APP}=${app}`, `${PROJECT}=${app}`]) {
    const query = new URLSearchParams({ filters: JSON.stringify({ label: [label] }) })
    const reply = await callEngine(DOCKER_SOCKET, { method: 'GET', path: `${path}?${query}` })
    const found = JSON.parse(reply.text) as Labelled[] | { Volumes: Labelled[] | null }
    for (const { Id, Name } of Array.isArray(found) ? found : (found.Volumes ?? [])) {
      await remove(`${path}/${encodeURIComponent(Id ?? Name)}`)
    }
  }
}

/** Ids of all containers, to be left alone later. */
export async function containerIds(): Promise<string[]> {
  const containers = await listFromEngine<EngineContainer>(DOCKER_SOCKET, '/containers/json', {})
  return containers.map(({ Id }) => Id)
}

/** A demo must not take containers for its own that bear the name of one of its apps already. */
export async function refuseAppsInUse(apps: readonly string[]): Promise<void> {
  const containers = await listFromEngine<EngineContainer>(DOCKER_SOCKET, '/containers/json', {})
  const taken = apps.filter(app =>
    containers.some(({ Labels }) => Labels[APP] === app || Labels[PROJECT] === app),
  )
  if (taken.length > 0) {
    throw APP_NAME_IN_USE(taken.join(', '))
  }
}

async function remove(path: string): Promise<void> {
  const reply = await callEngine(DOCKER_SOCKET, { method: 'DELETE', path })
  // Removing an image takes those with it that only it needed.
  const isGone = reply.status === 404 || /unrecognized image ID|No such image/i.test(reply.text)
  if (reply.status >= 400 && reply.status !== 409 && !isGone) {
    throw new Error(`the Docker engine does not remove ${path}: ${reply.text}`)
  }
}
