import { AS_LONG_AS_COMMAND_MS, type EngineRequest } from '#exec/call.ts'
import { imageName, parseReference } from '#formats/image-reference.ts'
import type { Secret } from '#lib/secret.ts'
import { Secret as SecretText } from '#lib/secret.ts'
import { dockerEngine, filters, QUICK_MS, SLOW_MS } from './docker-engine.ts'
import { readTransferEvent, type TransferEvent } from './image-transfer.ts'

export interface ImageFacts {
  readonly id: string
  readonly tags: readonly string[]
  /** `host/repository@sha256:…` of each registry it was pushed to or pulled from. */
  readonly digests: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** The command of its health check, as the engine runs it; undefined when it has none. */
  readonly healthTest?: readonly string[]
}

/** One image in a list. */
export interface ImageEntry {
  readonly id: string
  readonly tags: readonly string[]
  readonly digests: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** Seconds since 1970. */
  readonly createdAt: number
}

export interface RegistryCredential {
  readonly address: string
  readonly username: string
  readonly password: Secret
}

/** By reference or id; undefined when the engine does not have it. */
export function inspectImage(socket: string, reference: string): EngineRequest<ImageFacts | undefined> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: `/images/${encodeURI(reference)}/json`,
    timeoutMs: QUICK_MS,
    ok: [200, 404],
    read: answer => (answer.status === 404 ? undefined : readImage(answer.json)),
  }
}

export function listImages(socket: string, labels: readonly string[]): EngineRequest<readonly ImageEntry[]> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: '/images/json',
    query: { filters: filters({ label: labels }) },
    timeoutMs: QUICK_MS,
    ok: [200],
    read: answer =>
      ((answer.json ?? []) as RawEntry[]).map(image => ({
        id: image.Id,
        tags: (image.RepoTags ?? []).filter(tag => tag !== '<none>:<none>'),
        digests: image.RepoDigests ?? [],
        labels: image.Labels ?? {},
        createdAt: image.Created,
      })),
  }
}

/** Gives a local image one more name. */
export function tagImage(socket: string, image: string, reference: string): EngineRequest<void> {
  const parsed = parseReference(reference)
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'POST',
    path: `/images/${encodeURI(image)}/tag`,
    query: { repo: parsed ? imageName(parsed) : reference, tag: parsed?.tag },
    timeoutMs: QUICK_MS,
    ok: [201],
    read: () => undefined,
  }
}

/** Takes a name from an image; its last name takes the image too. False when a container needs it or it is gone already. */
export function removeImage(socket: string, reference: string): EngineRequest<boolean> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'DELETE',
    path: `/images/${encodeURI(reference)}`,
    timeoutMs: SLOW_MS,
    ok: [200, 404, 409],
    read: answer => answer.status === 200,
  }
}

export interface Transfer {
  readonly reference: string
  readonly credential?: RegistryCredential | undefined
  /** May throw to end the transfer. */
  readonly onEvent: (event: TransferEvent) => void
}

/** False when the registry has no such image (the only refusal the engine gives as a status instead of an event). */
export function pullImage(socket: string, transfer: Transfer): EngineRequest<boolean> {
  return {
    ...transferRequest(socket, transfer),
    path: '/images/create',
    query: { fromImage: transfer.reference },
    ok: [200, 404],
    read: answer => answer.status === 200,
  }
}

export function pushImage(socket: string, transfer: Transfer): EngineRequest<void> {
  const parsed = parseReference(transfer.reference)
  return {
    ...transferRequest(socket, transfer),
    path: `/images/${encodeURI(parsed ? imageName(parsed) : transfer.reference)}/push`,
    query: { tag: parsed?.tag },
    ok: [200],
    read: () => undefined,
  }
}

function transferRequest(socket: string, transfer: Transfer) {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'POST',
    headers: { 'x-registry-auth': authHeader(transfer.credential) },
    timeoutMs: AS_LONG_AS_COMMAND_MS,
    stream: {
      format: 'json-lines',
      onEvent: (event: { kind: string; value?: unknown }) => transfer.onEvent(readTransferEvent(event.value)),
    },
  } as const
}

/** The engine wants the header even for a registry without accounts. */
export function authHeader(credential: RegistryCredential | undefined): string | Secret {
  if (!credential) {
    return base64url({})
  }
  const { address, username, password } = credential
  return new SecretText(base64url({ username, password: password.reveal(), serveraddress: address }))
}

/** With padding: the engine takes a header without it for no credential at all. */
function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}

/**
 * Deletes build cache that nobody used for so long and keeps at most so many bytes. A raw call on purpose: client
 * libraries were seen to drop the options, which deletes the whole cache.
 */
export function pruneBuildCache(
  socket: string,
  keep: { readonly hours: number; readonly bytes: number },
): EngineRequest<{ readonly freedBytes: number }> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'POST',
    path: '/build/prune',
    query: { filters: filters({ until: [`${keep.hours}h`] }), 'keep-storage': keep.bytes },
    timeoutMs: SLOW_MS,
    ok: [200],
    read: answer => ({
      freedBytes: (answer.json as { SpaceReclaimed?: number } | undefined)?.SpaceReclaimed ?? 0,
    }),
  }
}

interface RawEntry {
  Id: string
  RepoTags?: string[] | null
  RepoDigests?: string[] | null
  Labels?: Record<string, string> | null
  Created: number
}

interface RawImage {
  Id?: string
  RepoTags?: string[] | null
  RepoDigests?: string[] | null
  Config?: { Labels?: Record<string, string> | null; Healthcheck?: { Test?: string[] } }
}

function readImage(json: unknown): ImageFacts {
  const raw = (json ?? {}) as RawImage
  const test = raw.Config?.Healthcheck?.Test ?? []
  return {
    id: raw.Id ?? '',
    tags: raw.RepoTags ?? [],
    digests: raw.RepoDigests ?? [],
    labels: raw.Config?.Labels ?? {},
    ...(test.length > 1 ? { healthTest: test } : {}),
  }
}
