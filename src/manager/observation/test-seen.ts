import type { HostObserved, SeenContainer } from '#commands/host-observe.ts'

export const NETWORK = 'fairlead'

export interface Change {
  readonly facts?: Partial<SeenContainer>
  /** undefined takes one away. */
  readonly parts?: Readonly<Record<string, string | undefined>>
}

/** A host with the app "shop": web has a route and a health check, job has done its work. For tests. */
export function aHost(
  changes: Readonly<Record<string, Change>> = {},
  more: Partial<HostObserved> = {},
): HostObserved {
  const names = ['web', 'job', ...Object.keys(changes).filter(name => name !== 'web' && name !== 'job')]
  const made = names.map(name => one(name, changes[name] ?? {}))
  return {
    containers: made.map(({ container }) => container),
    foreign: [],
    configurations: Object.fromEntries(
      made.map(({ container, parts }) => [container.id, { fingerprint: JSON.stringify(parts), parts }]),
    ),
    routes: { 'web.shop': { hosts: ['shop.example.org'], hash: 'r1' } },
    key: 'k1',
    network: NETWORK,
    ...more,
  }
}

function one(name: string, { facts, parts: changed = {} }: Change) {
  const container: SeenContainer = {
    ...{ app: 'shop', service: name, id: `id-${name}`, name: `shop-${name}-1`, restarts: 0, exitCode: 0 },
    ...{ startedAt: '2026-11-21T10:00:00Z', image: 'shop:1', imageId: 'sha256:aaaa', configHash: 'c' },
    ...{ ports: [], state: name === 'job' ? 'exited' : 'running' },
    health: name === 'web' ? 'healthy' : 'none',
    ...facts,
  }
  const parts = Object.fromEntries(
    Object.entries({
      ...{ name: container.name, image: container.imageId, memory: '67108864', restart: 'no' },
      ...{ 'label:io.fairlead.config': '~l1', 'environment:COLOUR': '~e1', 'port:80/tcp': ':20080' },
      ...{ 'mount:/data': 'volume shop_data', 'network:shop_default': 'shop-web-1 web' },
      'file:value-1:/etc/web.conf': '~f1',
      ...(name === 'web' ? { [`network:${NETWORK}`]: '10.1.0.32' } : {}),
      ...changed,
    }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
  return { container, parts }
}
