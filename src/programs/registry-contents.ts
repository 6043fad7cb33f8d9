import type { EngineRequest } from '#exec/call.ts'
import { MANIFESTS, type RegistryAccess, registryEngine, registryHost } from './registry.ts'

const ANSWER_MS = 30_000
const PAGE = 1_000
const DIGEST = /^sha256:[0-9a-f]{64}$/

export interface ManifestFacts {
  readonly digest: string
  /** Digest of its configuration; an index has none. */
  readonly config?: string
  /** Itself, its configuration and its layers. */
  readonly blobs: readonly { readonly digest: string; readonly bytes: number }[]
  /** Of an index: the manifests that it names. */
  readonly children: readonly string[]
  /** The image that it says something of, such as a list of its parts. */
  readonly subject?: string
}

/** Names of repositories behind `last`, at most a page of them; one that lost all its images is still listed. */
export function listRepositories(registry: RegistryAccess, last: string): EngineRequest<readonly string[]> {
  return {
    ...ask(registry, '/v2/_catalog'),
    query: { n: PAGE, ...(last === '' ? {} : { last }) },
    ok: [200],
    read: answer => (answer.json as { repositories?: string[] | null }).repositories ?? [],
  }
}

export function listTags(registry: RegistryAccess, repository: string): EngineRequest<readonly string[]> {
  return {
    ...ask(registry, `/v2/${repository}/tags/list`),
    ok: [200, 404],
    read: answer => (answer.status === 404 ? [] : ((answer.json as { tags?: string[] | null }).tags ?? [])),
  }
}

/** Undefined when it is gone. */
export function readManifest(
  registry: RegistryAccess,
  repository: string,
  reference: string,
): EngineRequest<ManifestFacts | undefined> {
  return {
    ...ask(registry, `/v2/${repository}/manifests/${reference}`),
    headers: { accept: MANIFESTS, ...registryHost(registry) },
    ok: [200, 404],
    read: answer => (answer.status === 404 ? undefined : factsOf(answer.headers, answer.text, answer.json)),
  }
}

/** Who made an image and when, as its configuration says. */
export function readMaker(
  registry: RegistryAccess,
  repository: string,
  config: string,
): EngineRequest<{ readonly labels: Readonly<Record<string, string>>; readonly at: number | undefined }> {
  return {
    ...ask(registry, `/v2/${repository}/blobs/${config}`),
    ok: [200, 404],
    read: ({ json }) => {
      const { created = '', config: runs } = (json ?? {}) as RawConfig
      return { labels: runs?.Labels ?? {}, at: Date.parse(created) || undefined }
    },
  }
}

/** With every tag that means it. */
export function deleteManifest(
  registry: RegistryAccess,
  repository: string,
  digest: string,
): EngineRequest<void> {
  return {
    ...ask(registry, `/v2/${repository}/manifests/${digest}`),
    method: 'DELETE',
    ok: [202, 404],
    read: () => undefined,
  }
}

function ask(registry: RegistryAccess, path: string) {
  return {
    kind: 'request',
    engine: registryEngine(registry, undefined),
    method: 'GET',
    path,
    headers: registryHost(registry),
    timeoutMs: ANSWER_MS,
  } as const
}

interface RawConfig {
  created?: string
  config?: { Labels?: Record<string, string> | null }
}

interface RawManifest {
  config?: { digest?: string; size?: number }
  layers?: { digest?: string; size?: number }[]
  manifests?: { digest?: string }[]
  subject?: { digest?: string }
}

function factsOf(
  headers: Readonly<Record<string, string | undefined>>,
  text: string,
  json: unknown,
): ManifestFacts | undefined {
  const digest = headers['docker-content-digest'] ?? ''
  const { config, layers = [], manifests = [], subject } = (json ?? {}) as RawManifest
  const blobs = [config ?? {}, ...layers].flatMap(blob =>
    blob.digest === undefined ? [] : [{ digest: blob.digest, bytes: blob.size ?? 0 }],
  )
  return DIGEST.test(digest)
    ? {
        digest,
        blobs: [{ digest, bytes: Buffer.byteLength(text) }, ...blobs],
        ...(config?.digest === undefined ? {} : { config: config.digest }),
        children: manifests.flatMap(child => child.digest ?? []),
        ...(subject?.digest === undefined ? {} : { subject: subject.digest }),
      }
    : undefined
}
