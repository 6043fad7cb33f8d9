import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mustRun } from './command.ts'
import { type IncusHost, startDaemon, startIncus } from './incus.ts'
import { send } from './incus-api.ts'

const AT = { folder: '/' }
const PORT = 8443
const POOL_SIZE = '1GiB'

/** Two members of a cluster, by name, and the cable between them that only they have. */
export interface IncusCluster {
  /** Has the only copy of the cluster's database: without it nobody answers. */
  readonly first: IncusHost
  readonly second: IncusHost
  readonly members: readonly [string, string]
}

/** Two real daemons, each in its own network namespace, that make one cluster. */
export async function startCluster(stack: AsyncDisposableStack): Promise<IncusCluster> {
  const first = await startIncus(stack, POOL_SIZE)
  const second = await startDaemon(stack)
  const id = first.pool.slice(1)
  const members = [`k1-${id}`, `k2-${id}`] as const
  const addresses = await layCableBetween(first, second, id)
  await first.ask('PATCH', '/1.0', { config: { 'core.https_address': addresses[0] } })
  await first.ask('PUT', '/1.0/cluster', { server_name: members[0], enabled: true })
  const token = await tokenFor(first, members[1])
  await second.ask('PUT', '/1.0/cluster', {
    ...{ server_name: members[1], enabled: true },
    ...{ cluster_address: addresses[0], server_address: addresses[1], cluster_token: token },
    cluster_certificate: await readFile(join(first.folder, 'd', 'cluster.crt'), 'utf8'),
    member_config: [{ entity: 'storage-pool', name: first.pool, key: 'size', value: POOL_SIZE }],
  })
  // The least that there can be: so long a member may be silent before it counts as offline.
  await first.ask('PATCH', '/1.0', { config: { 'cluster.offline_threshold': '11' } })
  for (const [at, { ip }] of [first, second].entries()) {
    const path = `/1.0/cluster/members/${members[at]}`
    const { roles, groups, failure_domain, description } = await first.ask<Member>('GET', path)
    const config = { 'user.fairlead.address': ip }
    await first.ask('PUT', path, { config, roles, groups, failure_domain, description })
  }
  // While both are there, and together: once one has ended the other waits for it at each step, most of a minute.
  stack.defer(async () => {
    await first.clear()
    await Promise.all([first.kill(), second.kill()])
  })
  return { first, second, members }
}

type Member = Readonly<Record<'roles' | 'groups' | 'failure_domain' | 'description', unknown>>

/** What proves that a daemon may join under a name. */
async function tokenFor({ socket }: IncusHost, server_name: string): Promise<string> {
  const { metadata } = await send(socket, 'POST', '/1.0/cluster/members', { server_name })
  const { secret, fingerprint, addresses, expiresAt } = (metadata as { metadata: Record<string, unknown> })
    .metadata
  const token = { server_name, fingerprint, addresses, secret, expires_at: expiresAt }
  return Buffer.from(JSON.stringify(token)).toString('base64')
}

/** Docker lets nothing through between two namespaces of one machine: they have a cable of their own. */
async function layCableBetween(one: IncusHost, other: IncusHost, id: string): Promise<[string, string]> {
  const names = [one, other].map(({ namespace }) => namespace.slice(namespace.lastIndexOf('/') + 1))
  const [here = '', there = ''] = names
  const ends = [`fca${id}`, `fcb${id}`] as const
  await mustRun(
    'ip',
    ['link', 'add', ends[0], 'netns', here, 'type', 'veth', 'peer', 'name', ends[1], 'netns', there],
    AT,
  )
  const ips = ['10.214.255.1', '10.214.255.2'] as const
  for (const [at, name] of names.entries()) {
    await mustRun('ip', ['-n', name, 'address', 'add', `${ips[at]}/30`, 'dev', ends[at] ?? ''], AT)
    await mustRun('ip', ['-n', name, 'link', 'set', ends[at] ?? '', 'up'], AT)
  }
  return [`${ips[0]}:${PORT}`, `${ips[1]}:${PORT}`]
}
