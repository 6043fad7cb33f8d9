import type { EngineRequest } from '#exec/call.ts'
import { askIncus, type IncusReply } from './incus.ts'
import { pathOf } from './incus-instances.ts'

/** One machine of a cluster, as Incus tells of it. */
export interface ClusterMember {
  readonly name: string
  /** online, offline, evacuated, blocked … */
  readonly status: string
  readonly message: string
  /** Where people reach it. */
  readonly address: string
}

/** What whoever set the cluster up wrote down of a member: where people reach its ports, when not at its cluster address. */
const ADDRESS_KEY = 'user.fairlead.address'

/** The name of the daemon behind a socket in its cluster; undefined: it is in none. */
export function ownMember(socket: string): EngineRequest<string | undefined> {
  return {
    ...askIncus(socket, { method: 'GET', path: '/1.0/cluster' }),
    ok: [200],
    read: ({ json }) => {
      const { metadata } = (json ?? {}) as { metadata?: { enabled?: boolean; server_name?: string } }
      return metadata?.enabled === true ? metadata.server_name : undefined
    },
  }
}

export function listMembers(socket: string): EngineRequest<readonly ClusterMember[]> {
  return {
    ...askIncus(socket, { method: 'GET', path: '/1.0/cluster/members', query: { recursion: 1 } }),
    ok: [200],
    read: ({ json }) => (((json ?? {}) as { metadata?: RawMember[] }).metadata ?? []).map(readMember),
  }
}

/** Its disks with their snapshots go with it. Only one that is stopped is moved. */
export function moveInstance(socket: string, name: string, member: string): EngineRequest<IncusReply> {
  return askIncus(socket, {
    method: 'POST',
    path: pathOf(name),
    query: { target: member },
    body: { name, migration: true },
  })
}

/** Evacuated: all that runs there is stopped, moved and started elsewhere; restored: what came from there goes back. */
export function setMemberState(
  socket: string,
  member: string,
  action: 'evacuate' | 'restore',
): EngineRequest<IncusReply> {
  return askIncus(socket, {
    method: 'POST',
    path: `/1.0/cluster/members/${encodeURIComponent(member)}/state`,
    // By itself Incus would only stop what lies on a disk of the member.
    body: action === 'evacuate' ? { action, mode: 'migrate' } : { action },
  })
}

/** Paths of what is under way to empty a member or to bring back what it had; each goes on at that member itself. */
export function memberOperations(socket: string, member: string): EngineRequest<readonly string[]> {
  return {
    ...askIncus(socket, { method: 'GET', path: '/1.0/operations', query: { recursion: 1 } }),
    ok: [200],
    read: ({ json }) =>
      Object.values(((json ?? {}) as { metadata?: Record<string, RawOperation[]> | null }).metadata ?? {})
        .flat()
        .filter(
          ({ status_code, description = '', location }) =>
            status_code < 200 && location === member && /^(?:Evacuating|Restoring) cluster/.test(description),
        )
        .map(({ id }) => `/1.0/operations/${id}`),
  }
}

interface RawOperation {
  id: string
  description?: string
  status_code: number
  /** The member that it goes on at. */
  location?: string
}

interface RawMember {
  server_name?: string
  status?: string
  message?: string
  url?: string
  config?: Record<string, string> | null
}

function readMember({ server_name = '', status = '', message = '', url, config }: RawMember): ClusterMember {
  return {
    name: server_name,
    status: status.toLowerCase(),
    message: message.slice(0, 200),
    address: config?.[ADDRESS_KEY] || (url && URL.canParse(url) ? hostIn(url) : ''),
  }
}

function hostIn(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '')
}
