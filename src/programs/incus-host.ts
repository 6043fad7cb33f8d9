import type { EngineRequest } from '#exec/call.ts'
import { askIncus } from './incus.ts'

export function incusVersion(socket: string): EngineRequest<string> {
  return {
    ...askIncus(socket, { method: 'GET', path: '/1.0' }),
    ok: [200],
    read: ({ json }) => {
      const { metadata } = (json ?? {}) as { metadata?: { environment?: { server_version?: string } } }
      return metadata?.environment?.server_version ?? ''
    },
  }
}

/** Undefined: there is no pool of this name. */
export function poolDriver(socket: string, pool: string): EngineRequest<string | undefined> {
  return {
    ...askIncus(socket, { method: 'GET', path: `/1.0/storage-pools/${encodeURIComponent(pool)}` }),
    ok: [200, 404],
    read: ({ status, json }) =>
      status === 404 ? undefined : (json as { metadata?: { driver?: string } }).metadata?.driver,
  }
}

/** Fingerprint of the image that this host has under a name; undefined: it has none. */
export function imageNamed(socket: string, alias: string): EngineRequest<string | undefined> {
  return {
    ...askIncus(socket, { method: 'GET', path: `/1.0/images/aliases/${encodeURIComponent(alias)}` }),
    ok: [200, 404],
    read: ({ status, json }) =>
      status === 404 ? undefined : (json as { metadata?: { target?: string } }).metadata?.target,
  }
}

export function listImageNames(socket: string): EngineRequest<readonly string[]> {
  return {
    ...askIncus(socket, { method: 'GET', path: '/1.0/images/aliases', query: { recursion: 1 } }),
    ok: [200],
    read: ({ json }) =>
      (((json ?? {}) as { metadata?: { name?: string }[] }).metadata ?? []).map(({ name }) => name ?? ''),
  }
}
