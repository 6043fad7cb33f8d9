import type { Kysely } from 'kysely'
import type { Events } from '#manager/deployments/events.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { AgentConnection, AgentState } from './connection.ts'
import { HOST_NOT_FOUND } from './errors.ts'
import { type ResumeOptions, resumeCommand, type TellOptions, tell } from './tell.ts'

/** The connections to all hosts' agents, kept open while the manager runs. */
export interface Agents {
  /** Tells a host's worker one command and gives its result. HOST_NOT_FOUND, AGENT_OFFLINE or the command's own error. */
  tell(host: string, options: TellOptions): Promise<unknown>
  /** Follows a command told earlier, perhaps by an earlier process; COMMAND_LOST if the worker does not know it. */
  resume(host: string, options: ResumeOptions): Promise<unknown>
  /** How the link to a host stands; undefined if there is no such host. */
  state(host: string): AgentState | undefined
  /** Follows the hosts table: opens what is new, closes what is gone. */
  refresh(): Promise<void>
  close(): Promise<void>
}

export interface AgentsOptions {
  readonly db: Kysely<Tables>
  readonly events: Events
  readonly open: (host: { name: string; address: string; identity: string }) => AgentConnection
}

export function createAgents({ db, events, open }: AgentsOptions): Agents {
  const connections = new Map<string, { place: string; connection: AgentConnection }>()

  function connectionTo(host: string): AgentConnection {
    const found = connections.get(host)
    if (!found) {
      throw HOST_NOT_FOUND(host)
    }
    return found.connection
  }

  return {
    tell: async (host, options) => await tell(connectionTo(host), options),
    resume: async (host, options) => await resumeCommand(connectionTo(host), options),
    state: host => connections.get(host)?.connection.state(),
    async refresh() {
      const hosts = await db.selectFrom('hosts').selectAll().where('role', '=', 'worker').execute()
      for (const [name, { place, connection }] of connections) {
        const still = hosts.find(host => host.name === name && placeOf(host) === place)
        if (!still) {
          connections.delete(name)
          await connection.close()
        }
      }
      for (const host of hosts) {
        if (!connections.has(host.name)) {
          connections.set(host.name, { place: placeOf(host), connection: open(host) })
          events.publish('host', { name: host.name, state: 'dialled' })
        }
      }
    },
    async close() {
      await Promise.all([...connections.values()].map(({ connection }) => connection.close()))
      connections.clear()
    },
  }
}

/** Where a host is and who it is. A renewed certificate changes neither: its connection stays. */
function placeOf(host: { readonly address: string; readonly identity: string }): string {
  return `${host.address} ${(JSON.parse(host.identity) as { keyId: string }).keyId}`
}
