import { type AddressRange, writeAddress } from './address-range.ts'
import { type OpenPorts, openPorts } from './open-ports.ts'
import type { Opening } from './opening.ts'

/** The one table that is ours; no other is ever named in a command. */
export const TABLE = { family: 'inet', name: 'fairlead' } as const
/** Before the filters of others: what they drop stays dropped, and what they accept may still be dropped here. */
const PRIORITY = -10

export interface WantedTable {
  readonly openings: readonly Opening[]
  /** Interfaces (`*` at the end stands for any rest) behind which the host's own containers are: never judged. */
  readonly inner: readonly string[]
}

type Item = Readonly<Record<string, unknown>>
type Protocol = Opening['protocol']

/** One transaction of nft that puts our table in the place of the one that is there, if any. */
export function replaceTable(wanted: WantedTable): { readonly nftables: readonly Item[] } {
  return { nftables: [...removal(), { add: { table: TABLE } }, ...contents(wanted)] }
}

/** The same that leaves none. */
export function removeTable(): { readonly nftables: readonly Item[] } {
  return { nftables: removal() }
}

/** Added first, so that it can be deleted whether it was there or not. */
function removal(): Item[] {
  return [{ add: { table: TABLE } }, { delete: { table: TABLE } }]
}

function contents({ openings, inner }: WantedTable): Item[] {
  const ports = openPorts(openings)
  return [...PROTOCOLS.flatMap(protocol => setsOf(protocol, ports)), ...input(inner), ...forward(inner)]
}

const PROTOCOLS = ['tcp', 'udp'] as const
const FAMILIES = [4, 6] as const

function setsOf(protocol: Protocol, ports: readonly OpenPorts[]): Item[] {
  const own = ports.filter(each => each.protocol === protocol)
  const anyone = own.filter(each => each.sources === undefined).map(portsValue)
  const from = (family: 4 | 6) =>
    own.flatMap(each =>
      (each.sources ?? [])
        .filter(range => range.family === family)
        .map(range => ({ concat: [addressValue(range), portsValue(each)] })),
    )
  return [
    set(anyName(protocol), 'inet_service', anyone),
    ...FAMILIES.map(family =>
      set(fromName(protocol, family), [`ipv${family}_addr`, 'inet_service'], from(family)),
    ),
  ]
}

/** To the host itself, and to a program of it that hands on (Docker's, for IPv6). */
function input(inner: readonly string[]): Item[] {
  return [
    chain('input'),
    ...['lo', ...inner].map(name => rule('input', is(meta('iifname'), name), ACCEPT)),
    rule('input', ESTABLISHED, ACCEPT),
    // Answers to a host that asks for its address.
    rule('input', is(payload('udp', 'dport'), { set: [68, 546] }), ACCEPT),
    ...PROTOCOLS.flatMap(protocol => accepts('input', protocol, payload(protocol, 'dport'))),
    // Whatever has no ports is none of our business.
    rule('input', is(meta('l4proto'), { set: ['tcp', 'udp', 'sctp', 'dccp', 'udplite'] }), COUNTER, DROP),
  ]
}

/** To containers: what Docker or Incus publishes is judged by the port that was asked for, not by the container's. */
function forward(inner: readonly string[]): Item[] {
  const asked = { ct: { key: 'proto-dst', dir: 'original' } }
  return [
    chain('forward'),
    ...inner.map(name => rule('forward', is(meta('iifname'), name), ACCEPT)),
    rule('forward', ESTABLISHED, ACCEPT),
    ...PROTOCOLS.flatMap(protocol =>
      accepts('forward', protocol, asked, [is(meta('l4proto'), protocol), PUBLISHED]),
    ),
    rule('forward', PUBLISHED, COUNTER, DROP),
    // By the address of a container instead of a published port.
    ...inner.map(name => rule('forward', is(meta('oifname'), name), COUNTER, DROP)),
  ]
}

function accepts(chainName: string, protocol: Protocol, port: Item, first: readonly Item[] = []): Item[] {
  return [
    rule(chainName, ...first, is(port, `@${anyName(protocol)}`), ACCEPT),
    ...FAMILIES.map(family => {
      const saddr = payload(family === 4 ? 'ip' : 'ip6', 'saddr')
      return rule(
        chainName,
        ...first,
        is({ concat: [saddr, port] }, `@${fromName(protocol, family)}`),
        ACCEPT,
      )
    }),
  ]
}

export function anyName(protocol: Protocol): string {
  return `${protocol}_any`
}

export function fromName(protocol: Protocol, family: 4 | 6): string {
  return `${protocol}_from${family}`
}

const ACCEPT = { accept: null }
const DROP = { drop: null }
const COUNTER = { counter: null }
const ESTABLISHED = is({ ct: { key: 'state' } }, { set: ['established', 'related'] })
const PUBLISHED = { match: { op: 'in', left: { ct: { key: 'status' } }, right: 'dnat' } }
const OURS = { family: TABLE.family, table: TABLE.name }

function set(name: string, type: string | readonly string[], elem: readonly unknown[]): Item {
  return { add: { set: { ...OURS, name, type, flags: ['interval'], ...(elem.length > 0 ? { elem } : {}) } } }
}

function chain(name: string): Item {
  return {
    add: { chain: { ...OURS, name, type: 'filter', hook: name, prio: PRIORITY, policy: 'accept' } },
  }
}

function rule(chainName: string, ...expr: readonly Item[]): Item {
  return { add: { rule: { ...OURS, chain: chainName, expr } } }
}

function is(left: Item, right: unknown): Item {
  return { match: { op: '==', left, right } }
}

function meta(key: string): Item {
  return { meta: { key } }
}

function payload(protocol: string, field: string): Item {
  return { payload: { protocol, field } }
}

function portsValue({ first, last }: Pick<OpenPorts, 'first' | 'last'>): unknown {
  return first === last ? first : { range: [first, last] }
}

function addressValue({ family, first, last }: AddressRange): unknown {
  const [from, to] = [first, last].map(number => writeAddress(number, family))
  return first === last ? from : { range: [from, to] }
}
