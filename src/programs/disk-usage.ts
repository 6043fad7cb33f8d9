import type { EngineRequest } from '#exec/call.ts'
import { dockerEngine, SLOW_MS } from './docker-engine.ts'

/** What takes the engine's disk, as the engine itself measures it. */
export interface DiskUsage {
  /** All layers of all images, each counted once. */
  readonly layerBytes: number
  readonly buildCacheBytes: number
  readonly images: readonly UsedImage[]
  readonly containers: readonly UsedContainer[]
  readonly buildCache: readonly CacheRecord[]
}

export interface UsedImage {
  readonly id: string
  readonly tags: readonly string[]
  /** `host/repository@sha256:…` */
  readonly digests: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** ms since 1970. */
  readonly createdAt: number
  readonly bytes: number
  /** Of them, what other images have too. */
  readonly sharedBytes: number
}

export interface UsedContainer {
  readonly id: string
  readonly name: string
  readonly imageId: string
  /** created, running, exited … */
  readonly state: string
  readonly labels: Readonly<Record<string, string>>
}

export interface CacheRecord {
  readonly bytes: number
  readonly isInUse: boolean
  /** ms since 1970; of one that was never used, when it was made. */
  readonly lastUsedAt: number
}

export function diskUsage(socket: string): EngineRequest<DiskUsage> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: '/system/df',
    timeoutMs: SLOW_MS,
    ok: [200],
    read: answer => readUsage(answer.json),
  }
}

interface RawUsage {
  LayersSize?: number
  Images?: RawImage[] | null
  Containers?: RawContainer[] | null
  BuildCache?: RawRecord[] | null
}

interface RawImage {
  Id?: string
  RepoTags?: string[] | null
  RepoDigests?: string[] | null
  Labels?: Record<string, string> | null
  Created?: number
  Size?: number
  SharedSize?: number
}

interface RawContainer {
  Id?: string
  Names?: string[]
  ImageID?: string
  State?: string
  Labels?: Record<string, string> | null
}

interface RawRecord {
  Size?: number
  InUse?: boolean
  CreatedAt?: string
  LastUsedAt?: string | null
}

function readUsage(json: unknown): DiskUsage {
  const raw = (json ?? {}) as RawUsage
  const buildCache = (raw.BuildCache ?? []).map(({ Size = 0, InUse, CreatedAt, LastUsedAt }) => ({
    bytes: Size,
    isInUse: InUse === true,
    lastUsedAt: Date.parse(LastUsedAt ?? CreatedAt ?? '') || 0,
  }))
  return {
    layerBytes: raw.LayersSize ?? 0,
    buildCacheBytes: buildCache.reduce((sum, { bytes }) => sum + bytes, 0),
    buildCache,
    images: (raw.Images ?? []).map(image => ({
      id: image.Id ?? '',
      tags: (image.RepoTags ?? []).filter(tag => tag !== '<none>:<none>'),
      digests: (image.RepoDigests ?? []).filter(digest => !digest.startsWith('<none>@')),
      labels: image.Labels ?? {},
      createdAt: (image.Created ?? 0) * 1_000,
      bytes: image.Size ?? 0,
      sharedBytes: Math.max(0, image.SharedSize ?? 0),
    })),
    containers: (raw.Containers ?? []).map(container => ({
      id: container.Id ?? '',
      name: (container.Names?.[0] ?? '').replace(/^\//, ''),
      imageId: container.ImageID ?? '',
      state: container.State ?? '',
      labels: container.Labels ?? {},
    })),
  }
}
