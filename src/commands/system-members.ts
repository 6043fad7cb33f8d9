import type { SeenCluster } from '#contract/cluster.ts'
import { type ClusterMember, listMembers, ownMember } from '#programs/incus-cluster.ts'
import type { SystemInstance } from '#programs/incus-instances.ts'
import type { Hands } from './command.ts'
import { SYSTEM_ADDRESS_OF_ONE, SYSTEM_MEMBER_UNKNOWN, SYSTEM_NO_CLUSTER } from './system-errors.ts'
import { systemsOf } from './system-incus.ts'

const ANY_ADDRESS: readonly string[] = ['0.0.0.0', '::']

export type Cluster = Pick<SeenCluster, 'own'> & { readonly members: readonly ClusterMember[] }

/** The cluster that the Incus daemon of this host is in; undefined: in none. */
export async function clusterOf(hands: Hands): Promise<Cluster | undefined> {
  const { socket, address } = systemsOf(hands)
  const own = await hands.perform(ownMember(socket))
  if (own === undefined) {
    return undefined
  }
  const members = await hands.perform(listMembers(socket))
  // What the owner of the host says of its own address counts for it.
  const isOne = !ANY_ADDRESS.includes(address)
  return { own, members: members.map(each => (each.name === own && isOne ? { ...each, address } : each)) }
}

/** One of its members. SYSTEM_NO_CLUSTER, SYSTEM_MEMBER_UNKNOWN. */
export async function memberNamed(
  hands: Hands,
  member: string,
): Promise<{ readonly cluster: Cluster; readonly found: ClusterMember }> {
  const cluster = await clusterOf(hands)
  if (!cluster) {
    throw SYSTEM_NO_CLUSTER(hands.host.name)
  }
  const found = cluster.members.find(({ name }) => name === member)
  if (!found) {
    throw SYSTEM_MEMBER_UNKNOWN(
      member,
      hands.host.name,
      cluster.members.map(({ name }) => name),
    )
  }
  return { cluster, found }
}

/** SYSTEM_ADDRESS_OF_ONE when ports cannot follow a system to another member. */
export function refuseOneAddress(hands: Hands): void {
  const { address } = systemsOf(hands)
  if (!ANY_ADDRESS.includes(address)) {
    throw SYSTEM_ADDRESS_OF_ONE(address, hands.host.name)
  }
}

/** Where the ports of a container are reached from this host. */
export async function reachedAt(hands: Hands, { location }: SystemInstance): Promise<string> {
  const { address } = systemsOf(hands)
  const cluster = location === undefined ? undefined : await clusterOf(hands)
  const member = cluster?.members.find(({ name }) => name === location)
  if (member?.address) {
    return member.address
  }
  return address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address
}
