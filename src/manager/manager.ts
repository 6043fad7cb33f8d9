import { join } from 'node:path'
import { COMMANDS } from '#commands/index.ts'
import type { Clock } from '#lib/clock.ts'
import type { FairleadError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { forgetEarlier, takeIdentity } from '#link/changed-identity.ts'
import { loadOrCreateIdentity, publicIdentity } from '#link/identity.ts'
import { pinOf } from '#link/public-identity.ts'
import { createAgents } from './agents/agents.ts'
import { AgentConnection } from './agents/connection.ts'
import { noteConnected } from './agents/note-connected.ts'
import { noteRefusals } from './agents/note-refusals.ts'
import { settleEnded } from './agents/settle-ended.ts'
import { tellOfConnection } from './agents/tell-of-connection.ts'
import { assemble } from './assemble.ts'
import { createAudit } from './audit/audit.ts'
import type { Config } from './config.ts'
import { createEvents } from './deployments/events.ts'
import { ChangedKey } from './hosts/changed-key.ts'
import { keepPin } from './hosts/keep-pin.ts'
import { LEADERSHIP_LOST } from './leadership/errors.ts'
import { keepLead, takeLead } from './leadership/lead.ts'
import { listenToPeers } from './leadership/peer-server.ts'
import { shareFiles, takeSharedFiles, unshareFiles } from './leadership/shared-files.ts'
import { type FirstStartOffer, offerFirstStart } from './people/first-start.ts'
import { createFirstToken } from './people/tokens.ts'
import { openSealer } from './secrets/key-file.ts'
import { listen } from './server.ts'
import { continueIds } from './store/continue-ids.ts'
import { openStore } from './store/database.ts'
import { nextEpoch } from './store/epoch.ts'

export interface Manager {
  readonly url: string
  readonly epoch: number
  close(): Promise<void>
}

export interface ManagerOptions {
  readonly config: Config
  readonly clock: Clock
  readonly logger: Logger
  /** Hands the first token to a person, once. */
  readonly showToken: (token: string) => void
  /** Called while nobody has an account. */
  readonly showFirstStart: (offer: FirstStartOffer) => void
  /** Called when everything is ready to listen: whoever holds the address now lets go of it. */
  readonly beforeListening?: () => Promise<void>
  /**
   * Where there are several: another one may lead by now. What this one tells, hosts refuse as soon as they know the
   * other; it writes nothing more. All that is left to do is to end the process.
   */
  readonly deposed?: (error: FairleadError) => void
}

/** Requests that take longer are cut off at a shutdown; what they asked for is stored and goes on after the start. */
const PATIENCE_MS = 5000

/** Puts the parts together and starts them. Deployments that an earlier process left running go on. */
export async function startManager(options: ManagerOptions): Promise<Manager> {
  const { config, clock, logger } = options
  const { deposed = () => undefined, beforeListening = async () => undefined } = options
  const store = await openStore(config.data, clock.now, serverOf(config, deposed))
  const { db } = store
  const sealer = await openSealer(db, join(config.data, 'secret.key'), resealed => {
    logger[resealed.left.length > 0 ? 'warn' : 'info']('manager.key-rotated', {
      moved: resealed.moved,
      left: resealed.left.join(',') || 'none',
    })
  })
  if (config.peers) {
    await takeSharedFiles({ db, sealer, data: config.data })
  } else {
    await unshareFiles(db)
  }
  const place = identityPlace(config, clock)
  const { present: identity, earlier } = takeIdentity(place)
  const changing = new ChangedKey({
    ...{ db, logger, present: identity, earlier },
    forget: () => forgetEarlier(place),
  })
  await changing.settle()
  await continueIds(db)
  const lead = config.peers && (await takeLead({ db, clock, sealer }, config.peers))
  const epoch = lead?.epoch ?? (await nextEpoch(db))
  const keeping = lead && keepLead({ db, clock }, lead, deposed)
  const sharing = lead && (await shareFiles({ db, clock, sealer, logger, data: config.data }))
  const events = createEvents(clock.now, lead?.since)
  const audit = createAudit({ db, clock, logger, sealer, config })
  const notes = noteRefusals({ audit, clock, logger })
  const agents = createAgents({
    db,
    events,
    failed: notes.refused,
    open: host => {
      const connection = new AgentConnection({
        address: host.address,
        identity,
        key: changing.of(host),
        pin: pinOf(JSON.parse(host.identity), `The pin of the host "${host.name}"`),
        successor:
          host.successor === null
            ? undefined
            : pinOf(JSON.parse(host.successor), `The next pin of the host "${host.name}"`),
        savePin: async (pin, change) => await keepPin({ db, clock }, { host: host.name, pin, ...change }),
        epoch: () => epoch,
        commands: COMMANDS,
        clock,
        logger,
        onOdd: why => notes.odd(host, why),
      })
      notes.watch(host, connection)
      settleEnded(connection, { db, logger })
      noteConnected(connection, { db, clock, logger })
      tellOfConnection(connection, events)
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
    audit,
    identity: () => publicIdentity(identity),
  })
  const { parts, server } = assembly

  await createFirstToken(parts, options.showToken)
  const offer = await offerFirstStart(parts)
  if (offer) {
    options.showFirstStart(offer)
  }
  await agents.refresh()
  await beforeListening()
  const url = await listen(server, parts)
  const peerServer = lead && config.peers && (await listenToPeers(server, config.peers, lead.keys))
  await assembly.start()

  return {
    url,
    epoch,
    async close() {
      const cutOff = clock.after(PATIENCE_MS, () => server.server.closeAllConnections())
      await server.close()
      await peerServer?.close()
      cutOff.close()
      await assembly.stop()
      sharing?.close()
      keeping?.close()
      await store.close()
    },
  }
}

/** The only manager of a database takes it again when the way to it was cut; one of several does not. */
function serverOf({ database, peers }: Config, deposed: (error: FairleadError) => void) {
  const onLost = () => deposed(LEADERSHIP_LOST('its connection to the database was lost'))
  return database && peers ? { ...database, onLost } : database
}

/** Who this manager is to its hosts; made on first use. */
export function loadManagerIdentity(config: Config, clock: Clock) {
  return loadOrCreateIdentity(identityPlace(config, clock))
}

export function identityPlace({ data }: Pick<Config, 'data'>, clock: Clock) {
  return { folder: join(data, 'identity'), clock, name: 'manager', role: 'manager' } as const
}
