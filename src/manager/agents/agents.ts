import type { Kysely, Selectable } from 'kysely'
import type { Events } from '#manager/deployments/events.ts'
import type { HostTable, Tables } from '#manager/store/tables.ts'
import type { AgentConnection } from './connection.ts'
import type { AgentState } from './connection-options.ts'
import { AGENT_OFFLINE, HOST_NOT_FOUND } from './errors.ts'
import { rekey } from './rekey.ts'
import { type ResumeOptions, resumeCommand, type TellOptions, tell } from './tell.ts'

const KEY_REVOKED = 'its key was revoked'

/** The connections to all hosts' agents, kept open while the manager runs. */
export interface Agents {
  /** Tells a host's agent one command and gives its result. HOST_NOT_FOUND, AGENT_OFFLINE or the command's own error. */
  tell(host: string, options: TellOptions): Promise<unknown>
  /** Follows a command told earlier, perhaps by an earlier process; COMMAND_LOST if the worker does not know it. */
  resume(host: string, options: ResumeOptions): Promise<unknown>
  /** How the link to a host stands; undefined if there is no such host. */
  state(host: string): AgentState | undefined
  /** Follows the hosts table: opens what is new, closes what is gone. */
  refresh(): Promise<void>
  /** Gives a host's agent a new key in place of its own; gives it. AGENT_OFFLINE or HOST_KEY_NOT_RENEWED. */
  rekey(host: string): Promise<string>
  /** Lets go of the connection to a host and opens a new one. Commands go on. */
  reconnect(host: string): Promise<void>
  close(): Promise<void>
}

type OpenedHost = Pick<Selectable<HostTable>, 'name' | 'address' | 'identity' | 'successor' | 'manager_key'>

export interface AgentsOptions {
  readonly db: Kysely<Tables>
  readonly events: Events
  readonly open: (host: OpenedHost) => AgentConnection
  /** Hears why a host did not do what it was told. */
  readonly failed?: (
    host: string,
    told: { readonly id: string; readonly command: string },
    why: unknown,
  ) => void
}

export function createAgents({ db, events, open, failed }: AgentsOptions): Agents {
  const connections = new Map<string, { address: string; connection: AgentConnection }>()
  /** Hosts that are not dialled any more, since when. */
  const revoked = new Map<string, number>()

  function connectionTo(host: string): AgentConnection {
    const found = connections.get(host)
    if (revoked.has(host)) {
      throw AGENT_OFFLINE(host, KEY_REVOKED)
    }
    if (!found) {
      throw HOST_NOT_FOUND(host)
    }
    return found.connection
  }

  let turn: Promise<unknown> = Promise.resolve()

  /** One after the other: what an earlier one has read must not undo what a later one did. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined)
    return mine
  }

  /** Dials whom the table has, and nobody else; `anew` although nothing of it has changed. */
  async function dialAsWanted(anew?: string): Promise<void> {
    const all = await db.selectFrom('hosts').selectAll().execute()
    const hosts = all.filter(each => each.revoked_at === null)
    revoked.clear()
    for (const { name, revoked_at: at } of all) {
      if (at !== null) {
        revoked.set(name, at)
      }
    }
    for (const [name, { address, connection }] of connections) {
      // A renewed certificate or key changes neither where it is nor who: its connection stays.
      const still = hosts.find(
        host => host.name === name && host.address === address && connection.knows(keyIdIn(host)),
      )
      if (!still || name === anew) {
        connections.delete(name)
        await connection.close()
      }
    }
    for (const host of hosts) {
      if (!connections.has(host.name)) {
        connections.set(host.name, { address: host.address, connection: open(host) })
        events.publish('host', { name: host.name, state: 'dialled' })
      }
    }
  }

  const agents: Agents = {
    async tell(host, options) {
      try {
        return await tell(connectionTo(host), options)
      } catch (error) {
        failed?.(host, options, error)
        throw error
      }
    },
    resume: async (host, options) => await resumeCommand(connectionTo(host), options),
    state(host) {
      const since = revoked.get(host)
      return since === undefined
        ? connections.get(host)?.connection.state()
        : { status: 'closed', since, lastError: AGENT_OFFLINE(host, KEY_REVOKED), attempts: 0 }
    },
    refresh: () => inTurn(() => dialAsWanted()),
    rekey: async host => await rekey(connectionTo(host)),
    reconnect: host => inTurn(() => dialAsWanted(host)),
    async close() {
      await Promise.all([...connections.values()].map(({ connection }) => connection.close()))
      connections.clear()
    },
  }
  return agents
}

function keyIdIn({ identity }: { readonly identity: string }): string {
  return (JSON.parse(identity) as { keyId: string }).keyId
}
