import type { EngineRequest } from '#exec/call.ts'
import { askIncus, type IncusReply, ownHeaders } from './incus.ts'
import { SYSTEM_KEY, type Texts } from './incus-system.ts'

const LIST_MS = 30_000

/** What Incus knows of one container, as far as anything here decides by it. */
export interface SystemInstance {
  readonly name: string
  /** running, stopped, frozen, error … */
  readonly status: string
  readonly createdAt: string
  /** The member of the cluster that it is on; undefined: there is no cluster. */
  readonly location: string | undefined
  readonly architecture: string
  /** What it has beside its own configuration and devices: those of each count as well. */
  readonly profiles: readonly string[]
  readonly config: Texts
  readonly devices: Readonly<Record<string, Texts>>
}

/** All containers, of whoever made them. */
export function listInstances(socket: string): EngineRequest<readonly SystemInstance[]> {
  return {
    ...askIncus(socket, { method: 'GET', path: '/1.0/instances', query: { recursion: 1 } }),
    timeoutMs: LIST_MS,
    ok: [200],
    read: ({ json }) => (((json ?? {}) as { metadata?: RawInstance[] }).metadata ?? []).map(readInstance),
  }
}

/** Undefined when there is none of this name. */
export function findInstance(socket: string, name: string): EngineRequest<SystemInstance | undefined> {
  return {
    ...askIncus(socket, { method: 'GET', path: pathOf(name) }),
    ok: [200, 404],
    read: ({ status, json }) =>
      status === 404 ? undefined : readInstance((json as { metadata: RawInstance }).metadata),
  }
}

export interface NewInstance {
  readonly name: string
  readonly source: Readonly<Record<string, string>>
  /** On which member of the cluster; undefined: Incus chooses. */
  readonly member?: string | undefined
  readonly config: Texts
  readonly devices: Readonly<Record<string, Texts>>
}

export function createInstance(
  socket: string,
  { member, ...instance }: NewInstance,
): EngineRequest<IncusReply> {
  const body = { type: 'container', profiles: [], ...instance }
  const query = member === undefined ? {} : { target: member }
  return askIncus(socket, { method: 'POST', path: '/1.0/instances', query, body })
}

/** Merges keys; an empty value takes one away. */
export function patchConfig(socket: string, name: string, config: Texts): EngineRequest<IncusReply> {
  return askIncus(socket, { method: 'PATCH', path: pathOf(name), body: { config }, timeoutMs: LIST_MS })
}

/** Only a whole replacement takes devices away. */
export function replaceInstance(
  socket: string,
  name: string,
  given: Pick<SystemInstance, 'architecture' | 'config' | 'devices'>,
): EngineRequest<IncusReply> {
  const config = Object.fromEntries(Object.entries(given.config).filter(([, value]) => value !== ''))
  const { architecture, devices } = given
  const body = { architecture, ephemeral: false, profiles: [], description: '', config, devices }
  return askIncus(socket, { method: 'PUT', path: pathOf(name), body })
}

export function renameInstance(socket: string, name: string, to: string): EngineRequest<IncusReply> {
  return askIncus(socket, { method: 'POST', path: pathOf(name), body: { name: to } })
}

export function setState(
  socket: string,
  name: string,
  state: {
    readonly action: 'start' | 'stop' | 'unfreeze'
    readonly force?: boolean
    readonly timeoutSeconds: number
  },
): EngineRequest<IncusReply> {
  const { action, force = false, timeoutSeconds: timeout } = state
  return askIncus(socket, { method: 'PUT', path: `${pathOf(name)}/state`, body: { action, force, timeout } })
}

export function deleteInstance(socket: string, name: string): EngineRequest<IncusReply> {
  return askIncus(socket, { method: 'DELETE', path: pathOf(name) })
}

/** What went wrong at the start of a container: Incus itself only says that it did. */
export function readStartLog(socket: string, name: string): EngineRequest<string> {
  return {
    ...askIncus(socket, { method: 'GET', path: `${pathOf(name)}/logs/lxc.log` }),
    read: ({ status, text }) => (status === 200 ? text : ''),
  }
}

/** A file in the container; also while it is stopped. */
export function putFile(
  socket: string,
  name: string,
  file: { readonly path: string; readonly text: string; readonly mode: string },
): EngineRequest<IncusReply> {
  return askIncus(socket, {
    method: 'POST',
    path: `${pathOf(name)}/files`,
    query: { path: file.path },
    // With any other type the daemon writes an empty file and answers that all is well.
    headers: {
      'content-type': 'application/octet-stream',
      ...ownHeaders({ ...ownedByRoot('file', file.mode), write: 'overwrite' }),
    },
    body: file.text,
  })
}

/** Names in a folder of the container; none where there is no such folder. */
export function listFolder(socket: string, name: string, path: string): EngineRequest<readonly string[]> {
  return {
    ...askIncus(socket, { method: 'GET', path: `${pathOf(name)}/files`, query: { path } }),
    read: ({ json }) => ((json ?? {}) as { metadata?: string[] | null }).metadata ?? [],
  }
}

export function putFolder(
  socket: string,
  name: string,
  folder: { readonly path: string; readonly mode: string },
): EngineRequest<IncusReply> {
  return askIncus(socket, {
    method: 'POST',
    path: `${pathOf(name)}/files`,
    query: { path: folder.path },
    headers: ownHeaders(ownedByRoot('directory', folder.mode)),
  })
}

export function pathOf(name: string): string {
  return `/1.0/instances/${encodeURIComponent(name)}`
}

function ownedByRoot(type: 'file' | 'directory', mode: string): Record<string, string> {
  return { type, uid: '0', gid: '0', mode }
}

interface RawInstance {
  name?: string
  status?: string
  created_at?: string
  location?: string
  architecture?: string
  profiles?: string[] | null
  config?: Record<string, string> | null
  devices?: Record<string, Record<string, string>> | null
}

function readInstance(raw: RawInstance): SystemInstance {
  return {
    name: raw.name ?? '',
    status: (raw.status ?? 'unknown').toLowerCase(),
    createdAt: raw.created_at ?? '',
    location: raw.location === 'none' ? undefined : raw.location,
    architecture: raw.architecture ?? '',
    profiles: raw.profiles ?? [],
    config: raw.config ?? {},
    devices: raw.devices ?? {},
  }
}

/** How containers are called that come out of a backup and say of themselves that they are another one. */
export const RESTORING = 'Restoring-'

/** The name of the one that is to become a system. */
export function restoringName(id: string): string {
  return RESTORING + id.slice(-12)
}

/** The instance that was made for a system, whatever it is called. */
export function instanceOf(instances: readonly SystemInstance[], id: string): SystemInstance | undefined {
  return instances.find(each => each.config[SYSTEM_KEY.id] === id && !each.name.startsWith(RESTORING))
}

/** One that Incus cannot describe just now, because it is being started or stopped: whose it is cannot be told. */
export function isUntold({ status, config }: SystemInstance): boolean {
  return status === 'error' && Object.keys(config).length === 0
}
