import { join } from 'node:path'
import { COMMANDS } from '#commands/index.ts'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import { loadOrCreateIdentity, publicIdentity } from '#link/identity.ts'
import { pinOf } from '#link/public-identity.ts'
import { createAgents } from './agents/agents.ts'
import { AgentConnection } from './agents/connection.ts'
import { settleEnded } from './agents/settle-ended.ts'
import { assemble } from './assemble.ts'
import type { Config } from './config.ts'
import { createEvents } from './deployments/events.ts'
import { createFirstToken } from './people/tokens.ts'
import { openSealer } from './secrets/key-file.ts'
import { listen } from './server.ts'
import { openStore } from './store/database.ts'
import { nextEpoch } from './store/epoch.ts'

export interface Manager {
  readonly url: string
  close(): Promise<void>
}

export interface ManagerOptions {
  readonly config: Config
  readonly clock: Clock
  readonly logger: Logger
  /** Hands the first token to a person, once. */
  readonly showToken: (token: string) => void
}

/** Requests that take longer are cut off at a shutdown; what they asked for is stored and goes on after the start. */
const PATIENCE_MS = 5000

/** Puts the parts together and starts them. Deployments that an earlier process left running go on. */
export async function startManager({ config, clock, logger, showToken }: ManagerOptions): Promise<Manager> {
  const store = await openStore(config.data, clock.now)
  const { db } = store
  const sealer = await openSealer(db, join(config.data, 'secret.key'))
  const identity = loadManagerIdentity(config, clock)
  const epoch = await nextEpoch(db)
  const events = createEvents(clock.now)
  const agents = createAgents({
    db,
    events,
    open: host => {
      const connection = new AgentConnection({
        address: host.address,
        identity,
        pin: pinOf(JSON.parse(host.identity), `The pin of the host "${host.name}"`),
        savePin: async pin => {
          await db
            .updateTable('hosts')
            .set({ identity: JSON.stringify(pin) })
            .where('name', '=', host.name)
            .execute()
        },
        epoch: () => epoch,
        commands: COMMANDS,
        clock,
        logger,
      })
      settleEnded(connection, { db, logger })
      return connection
    },
  })
  const assembly = await assemble({
    db,
    config,
    clock,
    logger,
    events,
    agents,
    sealer,
    identity: () => publicIdentity(identity),
  })
  const { parts, server } = assembly

  await createFirstToken(parts, showToken)
  await agents.refresh()
  const url = await listen(server, parts)
  await assembly.start()

  return {
    url,
    async close() {
      const cutOff = clock.after(PATIENCE_MS, () => server.server.closeAllConnections())
      await server.close()
      cutOff.close()
      await assembly.stop()
      await store.close()
    },
  }
}

/** Who this manager is to its hosts; made on first use. */
export function loadManagerIdentity(config: Config, clock: Clock) {
  return loadOrCreateIdentity({
    folder: join(config.data, 'identity'),
    clock,
    name: 'manager',
    role: 'manager',
  })
}
