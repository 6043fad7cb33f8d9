import { Type } from 'typebox'
import { readAddresses } from '#firewall/address-range.ts'
import { listNamedBy } from '#firewall/named-list.ts'
import type { Opening } from '#firewall/opening.ts'
import { APP_SETTING_WRONG } from './setting-errors.ts'

/** Who may reach a port of the host from outside, where a guardian keeps its firewall. */
export const OPEN_SETTINGS = {
  open: Type.Optional(
    Type.Boolean({
      description:
        'The guardian of the host opens it for everybody, or for "from"; default: only with "from".',
    }),
  ),
  from: Type.Optional(
    Type.Array(Type.String({ minLength: 2, maxLength: 64 }), {
      ...{ minItems: 1, maxItems: 1_000 },
      description:
        'Addresses and networks that may reach it, such as 10.0.0.0/8, and named lists, such as "@github-hooks" (docs/firewall.md); all others may not.',
    }),
  ),
} as const

interface Published {
  readonly port: number
  readonly protocol?: Opening['protocol']
  readonly open?: boolean
  readonly from?: readonly string[]
  /** Of the host that it listens on; all by default. */
  readonly address?: string
}

/** What is to be opened of these ports. Throws APP_SETTING_WRONG for a source that is none. */
export function openingsOf(ports: readonly Published[]): Opening[] {
  return ports.flatMap(({ port, protocol = 'tcp', from = [], open = from.length > 0, address }) => {
    const wrong = from.find(text => !readAddresses(text) && listNamedBy(text) === undefined)
    if (wrong !== undefined) {
      throw APP_SETTING_WRONG(
        'ports.from',
        `"${wrong}" is no address, no network such as 10.0.0.0/8 and no list such as @github-hooks`,
      )
    }
    // Whatever else listens at that port of the host would be reached instead of it.
    if (open && address?.startsWith('127.')) {
      throw APP_SETTING_WRONG(
        'ports.address',
        `nobody outside reaches ${address}, so ${port} cannot be opened`,
      )
    }
    return open ? [{ protocol, first: port, last: port, sources: [...from] }] : []
  })
}
