import type { Engine, EngineAnswer, EngineRequest } from '#exec/call.ts'
import { Secret } from '#lib/secret.ts'

/** An image registry, as its HTTP API is reached. */
export interface RegistryAccess {
  /** `host[:port]` */
  readonly address: string
  readonly username?: string | undefined
  readonly password?: Secret | undefined
  /** PEM of its own certificate authority. */
  readonly ca?: string | undefined
  /** What its name resolved to, already checked: connects there and asks no resolver again. */
  readonly connectTo?: string | undefined
}

/** Where a registry that does not take passwords itself hands out tokens for them. */
export interface TokenChallenge {
  readonly realm: string
  readonly service: string
  /** As of a registry. */
  readonly connectTo?: string | undefined
}

export type ManifestAnswer =
  | ({ readonly kind: 'present'; readonly digest: string } & ManifestFacts)
  | { readonly kind: 'missing' }
  | { readonly kind: 'challenge'; readonly challenge: TokenChallenge }
  | { readonly kind: 'refused'; readonly status: number; readonly retryAfterSeconds?: number }

/** Of the manifest of one image, when it was asked for. */
export interface ManifestFacts {
  /** Digest of its configuration, which has its labels. */
  readonly config?: string
  /** All that is fetched of it, compressed. */
  readonly bytes?: number
}

export interface ManifestWish {
  readonly registry: RegistryAccess
  readonly repository: string
  /** A tag or a digest. */
  readonly reference: string
  /** From a challenge of an earlier answer. */
  readonly token?: Secret | undefined
}

// Without these a registry answers with the digest of a converted, older manifest: another image.
export const MANIFESTS: string = [
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.index.v1+json',
].join(', ')
const ANSWER_MS = 10_000
const DIGEST = /^sha256:[0-9a-f]{64}$/

/** Where a registry answers: the name in front of its images is not always the host that has them. */
export function registryOrigin(address: string): string {
  return `https://${address === 'docker.io' ? 'registry-1.docker.io' : address}`
}

/** Asks whether the registry has an image, and under which digest: a few milliseconds against a push. */
export function headManifest(wish: ManifestWish): EngineRequest<ManifestAnswer> {
  return manifestRequest(wish, 'HEAD', readManifestAnswer)
}

/** The same with what the manifest says of the image. */
export function getManifest(wish: ManifestWish): EngineRequest<ManifestAnswer> {
  return manifestRequest(wish, 'GET', answer => ({
    ...readManifestAnswer(answer),
    ...readManifest(answer.json),
  }))
}

/** The labels of an image by the digest of its configuration; undefined when the registry does not give that itself. */
export function getLabels(wish: ManifestWish): EngineRequest<Readonly<Record<string, string>> | undefined> {
  return {
    ...manifestRequest(wish, 'GET', () => undefined),
    path: `/v2/${wish.repository}/blobs/${wish.reference}`,
    read: ({ status, json }) => (status === 200 ? readLabels(json) : undefined),
  }
}

export function manifestRequest<T>(
  wish: ManifestWish,
  method: 'GET' | 'HEAD',
  read: (answer: EngineAnswer) => T,
): EngineRequest<T> {
  return {
    kind: 'request',
    engine: registryEngine(wish.registry, wish.token),
    method,
    path: `/v2/${wish.repository}/manifests/${encodeURIComponent(wish.reference)}`,
    headers: { accept: MANIFESTS, ...registryHost(wish.registry), ...bearer(wish.token) },
    timeoutMs: ANSWER_MS,
    ok: 'any',
    read,
  }
}

/**
 * Exchanges the password for a token that allows pulling and pushing one repository, and pulling another. Undefined when
 * it is refused.
 */
export function askToken(
  challenge: TokenChallenge,
  registry: RegistryAccess,
  repository: string,
  from?: string,
): EngineRequest<Secret | undefined> {
  const url = new URL(challenge.realm)
  const query = new URLSearchParams([...url.searchParams, ['service', challenge.service]])
  query.append('scope', `repository:${repository}:pull,push`)
  if (from !== undefined && from !== repository) {
    query.append('scope', `repository:${from}:pull`)
  }
  return {
    kind: 'request',
    engine: {
      ...registryEngine(registry, undefined),
      origin: pinnedOrigin({ origin: url.origin, connectTo: challenge.connectTo }),
    },
    method: 'GET',
    path: `${url.pathname}?${query}`,
    ...(challenge.connectTo === undefined ? {} : { headers: { host: url.host } }),
    timeoutMs: ANSWER_MS,
    ok: 'any',
    read: answer => {
      const { token, access_token: other } = (answer.json ?? {}) as {
        token?: unknown
        access_token?: unknown
      }
      const value = token ?? other
      return answer.status === 200 && typeof value === 'string' ? new Secret(value) : undefined
    },
  }
}

export function registryEngine(
  registry: RegistryAccess,
  token: Secret | undefined,
): Engine & { kind: 'http' } {
  const { username, password, ca, connectTo } = registry
  return {
    kind: 'http',
    origin: pinnedOrigin({ origin: registryOrigin(registry.address), connectTo }),
    ...(ca ? { ca } : {}),
    ...(username && password && !token ? { username, password } : {}),
  }
}

/** The host header is also the name that the certificate must have. */
export function registryHost({ address, connectTo }: RegistryAccess): Record<string, string> {
  return connectTo === undefined ? {} : { host: new URL(registryOrigin(address)).host }
}

function pinnedOrigin({
  origin,
  connectTo,
}: {
  readonly origin: string
  readonly connectTo: string | undefined
}): string {
  if (connectTo === undefined) {
    return origin
  }
  const url = new URL(origin)
  url.hostname = connectTo.includes(':') ? `[${connectTo}]` : connectTo
  return url.origin
}

export function bearer(token: Secret | undefined): Record<string, Secret> {
  return token ? { authorization: new Secret(`Bearer ${token.reveal()}`) } : {}
}

export function readManifestAnswer(answer: EngineAnswer): ManifestAnswer {
  if (answer.status === 404) {
    return { kind: 'missing' }
  }
  const challenge = answer.status === 401 ? readChallenge(answer.headers['www-authenticate']) : undefined
  if (challenge) {
    return { kind: 'challenge', challenge }
  }
  const digest = answer.headers['docker-content-digest'] ?? ''
  if (answer.status === 200 && DIGEST.test(digest)) {
    return { kind: 'present', digest }
  }
  const wait = /^\d{1,6}$/.exec(answer.headers['retry-after'] ?? '')?.[0]
  return {
    kind: 'refused',
    status: answer.status,
    ...(wait === undefined ? {} : { retryAfterSeconds: Number(wait) }),
  }
}

/** A longer header is none that a registry sends, and dear to look through. */
const LONGEST_CHALLENGE = 8192

/** `Bearer realm="https://auth.example/token",service="registry.example"`; undefined for Basic and for anything but https. */
function readChallenge(header: string | undefined): TokenChallenge | undefined {
  if (!header || !/^bearer /i.test(header)) {
    return undefined
  }
  const fields = Object.fromEntries(
    // A name is looked for at its first letter alone: else the work grows with the square of the length.
    [...header.slice(0, LONGEST_CHALLENGE).matchAll(/\b(\w+)="([^"]*)"/g)].map(match => [match[1], match[2]]),
  )
  const realm = fields.realm ?? ''
  return URL.canParse(realm) && realm.startsWith('https://')
    ? { realm, service: fields.service ?? '' }
    : undefined
}

function readManifest(json: unknown): ManifestFacts {
  const { config, layers } = (json ?? {}) as { config?: Blob; layers?: readonly Blob[] }
  const bytes = [config, ...(Array.isArray(layers) ? layers : [])].map(each => Number(each?.size))
  return {
    ...(config?.digest !== undefined && DIGEST.test(config.digest) ? { config: config.digest } : {}),
    ...(bytes.every(Number.isSafeInteger) ? { bytes: bytes.reduce((sum, each) => sum + each, 0) } : {}),
  }
}

interface Blob {
  readonly digest?: string
  readonly size?: unknown
}

function readLabels(json: unknown): Readonly<Record<string, string>> | undefined {
  const { config } = (json ?? {}) as { config?: { Labels?: Record<string, string> | null } }
  return config && (config.Labels ?? {})
}
