/** The parts of an image reference; at least one of tag and digest, or neither for a bare name. */
export interface ImageReference {
  /** `host[:port]`; absent for images that are only local or on Docker Hub. */
  readonly host?: string
  /** The path on that registry, e.g. `team/shop`. */
  readonly repository: string
  readonly tag?: string
  readonly digest?: string
}

const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?'
const HOST = `(?:localhost|${LABEL}(?:\\.${LABEL})+|${LABEL}(?=:[0-9]))(?::[0-9]{1,5})?`
const PART = '[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*'
const TAG = '[A-Za-z0-9_][A-Za-z0-9._-]{0,127}'
const DIGEST = 'sha256:[0-9a-f]{64}'
const PATH = `${PART}(?:/${PART})*`

/** For schemas: a registry address as it stands in references. */
export const REGISTRY_ADDRESS_PATTERN = `^${HOST}$`
/** For schemas: the path of an image without registry and tag. */
export const IMAGE_PATH_PATTERN = `^${PATH}$`
/** For schemas: a whole reference, or the id of a local image. */
export const IMAGE_REFERENCE_PATTERN = `^(?:${DIGEST}|(?:${HOST}/)?${PATH}(?::${TAG})?(?:@${DIGEST})?)$`

/** For schemas: a reference with registry and tag, as it is pushed. */
export const PUSHABLE_REFERENCE_PATTERN = `^${HOST}/${PATH}:${TAG}$`

const REFERENCE = new RegExp(
  `^(?:(?<host>${HOST})/)?(?<repository>${PATH})(?::(?<tag>${TAG}))?(?:@(?<digest>${DIGEST}))?$`,
)

const RESERVED_TAG = /^(?:t-[0-9a-f]{32}|[te]-[0-9a-f]{24}|sha256-[0-9a-f]{64}(?:\..*)?)$/

const ENVIRONMENT_KEY = /^e-[0-9a-f]{24}$/

/** Undefined for a text that Docker would not take as a reference (`scratch` is none: it cannot be run or pulled). */
export function parseReference(text: string): ImageReference | undefined {
  const groups = REFERENCE.exec(text)?.groups
  const repository = groups?.repository
  if (!groups || !repository || text.length > 512 || text === 'scratch') {
    return undefined
  }
  return {
    repository,
    ...(groups.host ? { host: groups.host } : {}),
    ...(groups.tag ? { tag: groups.tag } : {}),
    ...(groups.digest ? { digest: groups.digest } : {}),
  }
}

/**
 * Tags that no person gives: those that stand for what an image was made from, by which it is found and run, and those
 * under which registries keep what belongs to an image.
 */
export function isReservedTag(tag: string): boolean {
  return RESERVED_TAG.test(tag)
}

/** What an environment of notebooks was made from, as one word: the tag of its image, and what releases say of it. */
export function isEnvironmentKey(text: string): boolean {
  return ENVIRONMENT_KEY.test(text)
}

/** The key in the name of an environment's image; undefined for every other name. */
export function environmentKeyIn(name: string): string | undefined {
  const { tag = '' } = parseReference(name) ?? {}
  return isEnvironmentKey(tag) && isEnvironmentRepository(name) ? tag : undefined
}

export function isEnvironmentRepository(name: string): boolean {
  return /(?:^|\/)env$/.test(parseReference(name)?.repository ?? '')
}

/** `host/repository` without tag and digest. */
export function imageName(reference: ImageReference): string {
  return reference.host ? `${reference.host}/${reference.repository}` : reference.repository
}

/** A reference with the tag that it means, so that two ways to write one are the same. */
export function withTag(reference: string): string {
  const parsed = parseReference(reference)
  return parsed && parsed.tag === undefined && parsed.digest === undefined ? `${reference}:latest` : reference
}
