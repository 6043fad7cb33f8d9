import { createHash } from 'node:crypto'
import { placesAt } from '#lib/place.ts'
import type { RunWants } from './container-wants.ts'
import { RELEASE_IMAGE_UNKNOWN } from './release-errors.ts'
import { type ReleasedImage, releasedImage } from './released-image.ts'
import type { LookInput, ReleaseFacts, RunImage } from './target.ts'

/** The part of a release that later deployments compare with. No secret value, nor a hash of one. */
export interface ContainerRelease {
  /** Name and content tag. */
  readonly image: string
  /** `host/repository@sha256:…`, or a place that takes it from the push. */
  readonly pinned?: unknown
  /** The image itself, by which it is known where no registry has it; or a place that takes it from the start. */
  readonly imageId: unknown
  readonly configHash: string
  /** `$NAME` for a secret, else a short hash of the value. */
  readonly environment: Readonly<Record<string, string>>
  readonly port: number | null
  /** With the part of each that it has. */
  readonly hosts: readonly string[]
  readonly ports: readonly string[]
  readonly volumes: readonly string[]
}

export interface ReleaseParts {
  readonly reference: string
  readonly pinned: unknown
  readonly imageId: unknown
  readonly configHash: string
}

export function releaseOf(
  wants: RunWants,
  { reference, pinned, imageId, configHash }: ReleaseParts,
): ContainerRelease {
  return {
    image: reference,
    ...(pinned === undefined ? {} : { pinned }),
    imageId,
    configHash,
    environment: Object.fromEntries(
      Object.entries(wants.writtenEnvironment).map(([name, value]) => [name, fingerprint(value)]),
    ),
    port: wants.run.port ?? null,
    hosts: placesAt(wants),
    ports: wants.run.ports.map(port => `${port.address ?? ''}:${port.host}/${port.protocol ?? 'tcp'}`),
    volumes: wants.run.volumes.map(volume => `${volume.name}:${volume.path}`),
  }
}

/** What an earlier release holds, as far as it holds it: it may be of another target. */
export function readRelease(previous: ReleaseFacts | undefined): Partial<ContainerRelease> {
  return (previous?.content ?? {}) as Partial<ContainerRelease>
}

export function releasedHosts(previous: ReleaseFacts | undefined): readonly string[] {
  return readRelease(previous).hosts ?? []
}

/** The image that a release ran. */
export function releasedImageOf(
  { app, registry }: Pick<LookInput<unknown>, 'app' | 'registry'>,
  release: ReleaseFacts,
): ReleasedImage {
  const { image, pinned, imageId } = readRelease(release)
  if (image === undefined || typeof imageId !== 'string') {
    throw RELEASE_IMAGE_UNKNOWN(app.name, release.commit)
  }
  const pin = typeof pinned === 'string' ? { pinned } : {}
  return releasedImage({ key: app.name, reference: image, imageId, ...pin }, registry)
}

export function imagesOf(release: ReleaseFacts): RunImage[] {
  const { image, pinned, imageId } = readRelease(release)
  if (image === undefined) {
    return []
  }
  return [
    {
      name: 'container',
      reference: image,
      ...(typeof pinned === 'string' ? { pinned } : {}),
      ...(typeof imageId === 'string' ? { imageId } : {}),
    },
  ]
}

function fingerprint(value: string): string {
  return /^\$[A-Za-z_]/.test(value) ? value : createHash('sha256').update(value).digest('hex').slice(0, 12)
}
