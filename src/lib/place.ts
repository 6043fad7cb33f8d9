import { type VisitorPorts, visitOrigin } from './visit-origin.ts'

/** A prefix of paths that one of several names on a host has: `/nb/churn/`. */
export const PREFIX_PATTERN = '^/(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?/){1,4}$'

/** What a name is found at: hosts of its own, or one part of hosts that it shares. */
export interface Places {
  readonly hosts: readonly string[]
  readonly prefix?: string | undefined
}

/** As people and claims call them: `churn.example.org`, `notebooks.example.org/nb/churn/`. */
export function placesAt({ hosts, prefix = '' }: Places): string[] {
  return hosts.map(host => `${host}${prefix}`)
}

/** Whether a visitor of one would come to the other: a whole host leaves nothing of it to others. */
export function overlaps(one: string, other: string): boolean {
  const [first, second] = [whole(one), whole(other)]
  return first.startsWith(second) || second.startsWith(first)
}

export function hostOfPlace(place: string): string {
  return place.replace(/\/.*$/, '')
}

/** The address that people visit, where the proxy listens; without ports at the usual ones. */
export function addressOfPlace(place: string, visitors?: VisitorPorts): string {
  const host = hostOfPlace(place)
  return `${visitOrigin(host, visitors)}${whole(place).slice(host.length)}`
}

function whole(place: string): string {
  return place.endsWith('/') ? place : `${place}/`
}
