/** The parts of an image reference. */
export interface ImageReference {
  /** `host[:port]`; absent for images of Docker Hub. */
  readonly host?: string
  readonly repository: string
  readonly tag?: string
  readonly digest?: string
}

const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?'
const HOST = `(?:localhost|${LABEL}(?:\\.${LABEL})+|${LABEL}(?=:[0-9]))(?::[0-9]{1,5})?`
const PART = '[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*'
const REFERENCE = new RegExp(
  `^(?:(?<host>${HOST})/)?(?<repository>${PART}(?:/${PART})*)(?::(?<tag>\\w[\\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$`,
)

/** The parts of a reference by Docker's grammar; undefined when it is none (upper case, a long tag, `scratch`, …). */
export function parseReference(text: string): ImageReference | undefined {
  const { host, repository, tag, digest } =
    (text.length > 512 ? undefined : REFERENCE.exec(text)?.groups) ?? {}
  if (!repository || text === 'scratch') {
    return undefined
  }
  return { repository, ...(host ? { host } : {}), ...(tag ? { tag } : {}), ...(digest ? { digest } : {}) }
}
