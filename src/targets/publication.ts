/** Ports of the host that a release binds there, whoever may reach them. */
export interface Publication {
  readonly protocol: string
  readonly first: number
  readonly last: number
  /** Of the host; absent: all it has. */
  readonly address?: string
}

export interface Publishing {
  /** By a release; absent: none. */
  readonly publishes?: readonly Publication[]
}

interface PublishedText {
  /** One port, or several as `8000-8010`. */
  readonly published: string
  readonly protocol?: string
  readonly address?: string
}

/** What services of Compose publish; a port that the engine chooses is nobody's. */
export function publicationsOf(ports: readonly PublishedText[]): Publication[] {
  return ports.flatMap(({ published, protocol = 'tcp', address }) => {
    const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(published) ?? []
    return first === undefined
      ? []
      : [{ protocol, first: Number(first), last: Number(last), ...placeOf(address) }]
  })
}

/** The same address, however it is written that it is all of them. */
export function placeOf(address: string | undefined): { address?: string } {
  const plain = (address ?? '').replace(/^\[|\]$/g, '')
  return ['', '0.0.0.0', '::'].includes(plain) ? {} : { address: plain }
}

export function collide(one: Publication, other: Publication): boolean {
  return (
    one.protocol === other.protocol &&
    one.first <= other.last &&
    other.first <= one.last &&
    (one.address === undefined || other.address === undefined || one.address === other.address)
  )
}
