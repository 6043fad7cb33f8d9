import { createHash } from 'node:crypto'
import {
  AS_LONG_AS_COMMAND_MS,
  type EngineAnswer,
  type EngineRequest,
  type PackedLayer,
  type SentLayer,
} from '#exec/call.ts'
import type { Secret } from '#lib/secret.ts'
import { bearer, MANIFESTS, type RegistryAccess, registryEngine } from './registry.ts'

/** A repository of a registry, and what lets us in. */
export interface RegistryRepository {
  readonly registry: RegistryAccess
  readonly repository: string
  readonly token?: Secret | undefined
}

/** Of one image, or of one image for each platform. */
export interface Manifest {
  readonly mediaType?: string
  readonly config?: Descriptor
  readonly layers?: readonly Descriptor[]
  readonly manifests?: readonly (Descriptor & {
    readonly platform?: { readonly os?: string; readonly architecture?: string }
  })[]
}

export interface Descriptor {
  readonly mediaType?: string
  readonly digest: string
  readonly size: number
}

const ANSWER_MS = 10_000

/** Undefined when there is none, or it may not be read. */
export function getWholeManifest(
  from: RegistryRepository,
  reference: string,
): EngineRequest<Manifest | undefined> {
  return {
    ...ask(from, 'GET', `manifests/${encodeURIComponent(reference)}`),
    headers: { accept: MANIFESTS, ...bearer(from.token) },
    read: ({ status, json }) => (status === 200 ? (json as Manifest) : undefined),
  }
}

/** The JSON of a blob, or where a registry keeps it; undefined for any other answer. */
export function getBlob(
  from: RegistryRepository,
  digest: string,
): EngineRequest<{ readonly json?: unknown; readonly elsewhere?: string | undefined } | undefined> {
  return {
    ...ask(from, 'GET', `blobs/${digest}`),
    headers: bearer(from.token),
    read: ({ status, json, headers }) => {
      const { location } = headers
      const isElsewhere = status >= 300 && status < 400 && location?.startsWith('https://')
      return status === 200 ? { json } : isElsewhere ? { elsewhere: location } : undefined
    },
  }
}

/** The JSON at an address that a registry gave; without its password. */
export function getElsewhere(address: string): EngineRequest<unknown> {
  const { origin, pathname, search } = new URL(address)
  return {
    kind: 'request',
    engine: { kind: 'http', origin },
    method: 'GET',
    path: `${pathname}${search}`,
    timeoutMs: ANSWER_MS,
    ok: 'any',
    read: ({ status, json }) => (status === 200 ? json : undefined),
  }
}

/** Makes a blob of one repository one of another. False: the registry wants it to be sent. */
export function mountBlob(
  to: RegistryRepository,
  { digest, from }: { readonly digest: string; readonly from: string },
): EngineRequest<boolean> {
  return {
    ...ask(to, 'POST', 'blobs/uploads/'),
    query: { mount: digest, from },
    headers: bearer(to.token),
    read: ({ status }) => status === 201,
  }
}

/** Where the registry takes a blob; undefined when it takes none. */
export function openUpload(to: RegistryRepository): EngineRequest<string | undefined> {
  return { ...ask(to, 'POST', 'blobs/uploads/'), headers: bearer(to.token), read: nextPlace }
}

/** Sends a layer while it is made. Undefined when the registry did not take all of it. */
export function sendLayer(
  to: RegistryRepository,
  location: string,
  layer: PackedLayer,
): EngineRequest<{ readonly sent: SentLayer; readonly location: string } | undefined> {
  return {
    ...upload(to, location),
    method: 'PATCH',
    headers: { 'content-type': 'application/octet-stream', ...bearer(to.token) },
    layer,
    timeoutMs: AS_LONG_AS_COMMAND_MS,
    read: answer => {
      const next = nextPlace(answer)
      return next === undefined || !answer.sent ? undefined : { sent: answer.sent, location: next }
    },
  }
}

/** Ends an upload: what was sent, with this text behind it, has this digest. */
export function endUpload(
  to: RegistryRepository,
  location: string,
  { digest, text = '' }: { readonly digest: string; readonly text?: string },
): EngineRequest<boolean> {
  const start = upload(to, location)
  return {
    ...start,
    method: 'PUT',
    query: { ...start.query, digest },
    headers: { 'content-type': 'application/octet-stream', ...bearer(to.token) },
    body: text,
    read: ({ status }) => status === 201,
  }
}

/** Names an image. The digest, or undefined when the registry refuses it. */
export function putManifest(
  to: RegistryRepository,
  tag: string,
  { mediaType, text }: { readonly mediaType: string; readonly text: string },
): EngineRequest<string | undefined> {
  return {
    ...ask(to, 'PUT', `manifests/${tag}`),
    headers: { 'content-type': mediaType, ...bearer(to.token) },
    body: text,
    read: ({ status }) => (status === 201 ? digestOf(text) : undefined),
  }
}

export function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}

function ask(
  { registry, repository, token }: RegistryRepository,
  method: 'GET' | 'POST' | 'PUT',
  path: string,
) {
  return {
    kind: 'request',
    engine: registryEngine(registry, token),
    method,
    path: `/v2/${repository}/${path}`,
    timeoutMs: ANSWER_MS,
    ok: 'any',
  } as const
}

function upload({ registry, token }: RegistryRepository, location: string) {
  const engine = registryEngine(registry, token)
  // A registry may name another host; the password goes to the one it belongs to.
  const url = new URL(location, engine.origin)
  return {
    kind: 'request',
    engine,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    timeoutMs: ANSWER_MS,
    ok: 'any',
  } as const
}

function nextPlace({ status, headers }: EngineAnswer): string | undefined {
  return status === 202 ? headers.location : undefined
}
