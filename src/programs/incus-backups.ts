import type { BringArchive, EngineRequest, KeepArchive, KeptFile } from '#exec/call.ts'
import type { Secret } from '#lib/secret.ts'
import { askIncus, type IncusReply, incusEngine, ownHeaders, readReply } from './incus.ts'
import { pathOf } from './incus-instances.ts'

/** Of the archives that Incus makes for us; nobody else's are ever touched. */
const PREFIX = 'fairlead-'

/** Has Incus pack a container, without its snapshots. */
export function beginBackup(socket: string, name: string, backup: string): EngineRequest<IncusReply> {
  const body = { name: PREFIX + backup, instance_only: true, compression_algorithm: 'gzip' }
  return askIncus(socket, { method: 'POST', path: `${pathOf(name)}/backups`, body })
}

/** Names of our archives of a container that Incus has. */
export function listBackups(socket: string, name: string): EngineRequest<readonly string[]> {
  return {
    ...askIncus(socket, { method: 'GET', path: `${pathOf(name)}/backups` }),
    ok: [200],
    read: ({ json }) =>
      (((json ?? {}) as { metadata?: string[] }).metadata ?? [])
        .map(path => path.slice(path.lastIndexOf('/') + 1))
        .filter(each => each.startsWith(PREFIX)),
  }
}

/** By its name in the list. */
export function deleteBackup(socket: string, name: string, backup: string): EngineRequest<IncusReply> {
  const path = `${pathOf(name)}/backups/${encodeURIComponent(backup)}`
  return askIncus(socket, { method: 'DELETE', path })
}

interface Keeping {
  readonly name: string
  readonly backup: string
  readonly file: string
  readonly recipients: readonly string[]
  readonly maxBytes: number
  readonly timeoutMs: number
}

/** Writes what was packed into a file, encrypted. */
export function keepBackup(socket: string, { name, backup, ...rest }: Keeping): KeepArchive<KeptFile> {
  return {
    ...{ kind: 'archive', operation: 'keep', engine: incusEngine(socket) },
    path: `${pathOf(name)}/backups/${encodeURIComponent(PREFIX + backup)}/export`,
    ...rest,
    read: kept => kept,
  } as const as KeepArchive<KeptFile>
}

interface Bringing {
  readonly name: string
  readonly pool: string
  readonly file: string
  readonly sha256: string
  readonly identity: Secret
  readonly timeoutMs: number
}

/** Makes a container of such a file: with the configuration and the devices of its day. */
export function bringBackup(socket: string, { name, pool, ...rest }: Bringing): BringArchive<IncusReply> {
  return {
    ...{ kind: 'archive', operation: 'bring', engine: incusEngine(socket), path: '/1.0/instances' },
    headers: { 'content-type': 'application/octet-stream', ...ownHeaders({ name, pool }) },
    ...rest,
    read: readReply,
  } as const as BringArchive<IncusReply>
}
