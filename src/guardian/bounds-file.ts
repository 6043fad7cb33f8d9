import { readFileSync, statSync } from 'node:fs'
import { type Static, Type } from 'typebox'
import { parse } from 'yaml'
import { readAddresses } from '#firewall/address-range.ts'
import type { Bounds, PortRange } from '#firewall/bounds.ts'
import type { Opening } from '#firewall/opening.ts'
import { problemsOf } from '#lib/check.ts'
import { BOUNDS_INVALID } from './errors.ts'

const strict = { additionalProperties: false } as const
const Ports = Type.Union([
  Type.Integer({ minimum: 1, maximum: 65_535 }),
  Type.String({ pattern: '^(?:(?:tcp|udp) )?[1-9][0-9]{0,4}(?:-[1-9][0-9]{0,4})?$' }),
])
const PortList = Type.Array(Ports, { maxItems: 1_000 })

/** Every key may be left out. */
const BoundsFile = Type.Object(
  {
    ssh: Type.Optional(PortList),
    keep: Type.Optional(PortList),
    ports: Type.Optional(PortList),
    never: Type.Optional(PortList),
    sources: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 1_000 })),
    inner: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Za-z0-9._-]{1,14}\\*?$' }), { maxItems: 100 }),
    ),
  },
  strict,
)

/** SSH and the web stay reachable, and so does a worker at its usual port. */
const DEFAULTS = {
  ssh: [22],
  keep: [80, 443, 'tcp 7443'],
  ports: ['1024-65535'],
  /** What would expose an engine, the admin API of a proxy or a manager. */
  never: [2019, '2375-2377', 7400],
  inner: ['docker*', 'br-*', 'incusbr*', 'lxdbr*', 'virbr*', 'podman*', 'cni*'],
} as const satisfies Static<typeof BoundsFile>

/** What the owner of this host allows; the defaults when the file is absent. Throws BOUNDS_INVALID. */
export function readBounds(file: string, ownPort: number): Bounds {
  const given = { ...DEFAULTS, ...contentOf(file) }
  const { sources } = given
  for (const source of sources ?? []) {
    if (!readAddresses(source)) {
      throw BOUNDS_INVALID(file, `"${source}" in sources is no address or network`)
    }
  }
  const range = (text: Static<typeof Ports>) => {
    const { first, last } = portsIn(text, file)
    return { first, last }
  }
  return {
    keep: [
      ...given.ssh.map(text => opened('tcp', range(text))),
      opened('tcp', { first: ownPort, last: ownPort }),
      ...given.keep.flatMap(text => {
        const { protocol, ...ports } = portsIn(text, file)
        return (protocol ? [protocol] : (['tcp', 'udp'] as const)).map(each => opened(each, ports))
      }),
    ],
    ports: given.ports.map(range),
    never: given.never.map(range),
    sources,
    inner: given.inner,
  }
}

function contentOf(file: string): Static<typeof BoundsFile> {
  const facts = statSync(file, { throwIfNoEntry: false })
  if (!facts) {
    return {}
  }
  if ((facts.mode & 0o022) !== 0 || ![0, process.getuid?.()].includes(facts.uid)) {
    throw BOUNDS_INVALID(file, 'others than root may write it')
  }
  let value: unknown
  try {
    value = parse(readFileSync(file, 'utf8'), { maxAliasCount: 0 }) ?? {}
  } catch (error) {
    throw BOUNDS_INVALID(file, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))
  }
  const problems = problemsOf(BoundsFile, value)
  const [first] = problems
  if (first) {
    const where = [first.path || 'the whole', first.message, first.expected].filter(Boolean).join(' ')
    throw BOUNDS_INVALID(file, where).with({ problems })
  }
  return value as Static<typeof BoundsFile>
}

function opened(protocol: Opening['protocol'], { first, last }: PortRange): Opening {
  return { protocol, first, last, sources: [] }
}

/** `8080`, `8000-8010`, `udp 51820`. */
function portsIn(text: Static<typeof Ports>, file: string): PortRange & { protocol?: Opening['protocol'] } {
  const [ports = '', protocol] = String(text).split(' ').reverse() as [string, Opening['protocol']?]
  const [first = 0, last = first] = ports.split('-').map(Number)
  if (first > last || last > 65_535) {
    throw BOUNDS_INVALID(file, `"${text}" is no range of ports`)
  }
  return { first, last, ...(protocol === undefined ? {} : { protocol }) }
}
