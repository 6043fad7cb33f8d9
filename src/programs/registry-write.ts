import type { EngineRequest } from '#exec/call.ts'
import {
  bearer,
  type ManifestAnswer,
  type ManifestWish,
  manifestRequest,
  readManifestAnswer,
  registryHost,
} from './registry.ts'
import { digestOf } from './registry-blobs.ts'

const ANSWER_MS = 30_000

/** What stands for something else in a manifest. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
}

export function descriptorOf(mediaType: string, text: string): Descriptor {
  return { mediaType, digest: digestOf(text), size: Buffer.byteLength(text) }
}

export type DescribedAnswer = ManifestAnswer & { readonly descriptor?: Descriptor; readonly json?: unknown }

/** A manifest as others refer to it, with its text. */
export function describeManifest(wish: ManifestWish): EngineRequest<DescribedAnswer> {
  return manifestRequest(wish, 'GET', answer => {
    const said = readManifestAnswer(answer)
    return said.kind === 'present'
      ? {
          ...said,
          json: answer.json,
          descriptor: {
            mediaType: (answer.headers['content-type'] ?? '').replace(/;.*$/, ''),
            digest: said.digest,
            size: Buffer.byteLength(answer.text),
          },
        }
      : said
  })
}

export interface Written {
  readonly status: number
  /** The registry itself lists what refers to an image. */
  readonly listsReferrers: boolean
}

/** Puts a manifest under a tag or its own digest. */
export function writeManifest(
  wish: ManifestWish,
  { mediaType, text }: { readonly mediaType: string; readonly text: string },
): EngineRequest<Written> {
  return {
    ...manifestRequest(wish, 'GET', () => undefined),
    method: 'PUT',
    headers: { 'content-type': mediaType, ...registryHost(wish.registry), ...bearer(wish.token) },
    body: text,
    timeoutMs: ANSWER_MS,
    read: ({ status, headers }) => ({ status, listsReferrers: headers['oci-subject'] !== undefined }),
  }
}

/** The same request to the address that the registry's name was checked to be. */
export function toChecked<T>(
  call: EngineRequest<T>,
  { registry }: Pick<ManifestWish, 'registry'>,
): EngineRequest<T> {
  return { ...call, headers: { ...call.headers, ...registryHost(registry) } }
}
