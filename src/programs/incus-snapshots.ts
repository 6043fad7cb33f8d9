import type { EngineRequest } from '#exec/call.ts'
import { askIncus, type IncusReply } from './incus.ts'
import { pathOf } from './incus-instances.ts'

export interface InstanceSnapshot {
  readonly name: string
  readonly createdAt: string
}

export function listSnapshots(socket: string, name: string): EngineRequest<readonly InstanceSnapshot[]> {
  const path = `${pathOf(name)}/snapshots`
  return {
    ...askIncus(socket, { method: 'GET', path, query: { recursion: 1 } }),
    ok: [200],
    read: ({ json }) =>
      (((json ?? {}) as { metadata?: RawSnapshot[] }).metadata ?? []).map(raw => ({
        name: (raw.name ?? '').slice((raw.name ?? '').lastIndexOf('/') + 1),
        createdAt: raw.created_at ?? '',
      })),
  }
}

interface RawSnapshot {
  name?: string
  created_at?: string
}

const NEVER = '0001-01-01T00:00:00Z'

/** Of what is on its disks, not of its memory. */
export function takeSnapshot(socket: string, name: string, snapshot: string): EngineRequest<IncusReply> {
  return askIncus(socket, {
    method: 'POST',
    path: `${pathOf(name)}/snapshots`,
    // Without a date it would end when scheduled ones do.
    body: { name: snapshot, stateful: false, expires_at: NEVER },
  })
}

export function renameSnapshot(
  socket: string,
  name: string,
  { from, to }: { readonly from: string; readonly to: string },
): EngineRequest<IncusReply> {
  const path = `${pathOf(name)}/snapshots/${encodeURIComponent(from)}`
  return askIncus(socket, { method: 'POST', path, body: { name: to } })
}

export function deleteSnapshot(socket: string, name: string, snapshot: string): EngineRequest<IncusReply> {
  return askIncus(socket, {
    method: 'DELETE',
    path: `${pathOf(name)}/snapshots/${encodeURIComponent(snapshot)}`,
  })
}

/** A container that runs is stopped for it and started again, with the configuration that the snapshot has. */
export function restoreSnapshot(socket: string, name: string, snapshot: string): EngineRequest<IncusReply> {
  return askIncus(socket, { method: 'PUT', path: pathOf(name), body: { restore: snapshot } })
}
