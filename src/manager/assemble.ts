import { join } from 'node:path'
import { atMostEvery } from '#lib/at-most-every.ts'
import type { Clock, Timer } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import type { PublicIdentity } from '#link/public-identity.ts'
import type { Agents } from './agents/agents.ts'
import type { Api } from './api/shape.ts'
import { startEndingVisits } from './apps/end-visits.ts'
import { type Audit, createAudit } from './audit/audit.ts'
import type { Config } from './config.ts'
import type { Events } from './deployments/events.ts'
import { type LogPlace, logFiles } from './deployments/log-place.ts'
import { hasLogRows, logRows } from './deployments/log-rows.ts'
import { DeploymentLogs } from './deployments/logs.ts'
import { createQueue, type Queue } from './deployments/queue.ts'
import { startTendingLists } from './firewall/tend-lists.ts'
import { watchFirewalls } from './firewall/watch-firewalls.ts'
import { startPruning } from './hosts/pruning.ts'
import { startHousekeeping } from './housekeeping.ts'
import { createHttpClient } from './http.ts'
import { startRedirects } from './notebooks/redirects.ts'
import { createObserver } from './observation/observer.ts'
import { startKeeper } from './organisations/keeper.ts'
import { createOutbox } from './outbox/outbox.ts'
import { createPlaces } from './outbox/places.ts'
import type { ManagerParts } from './parts.ts'
import type { PipelineParts } from './pipeline/step.ts'
import type { Sealer } from './secrets/seal.ts'
import { createServer } from './server.ts'
import { createBackupKeeper } from './systems/backup-keeper.ts'
import { startBringingKeys } from './systems/bring-keys.ts'
import { createMemberKeeper } from './systems/member-keeper.ts'
import { startSendingTraces } from './traces/send-traces.ts'
import { createImageFollower } from './triggers/image-follower.ts'
import { pollerFor } from './triggers/poller-for.ts'
import { createScheduler } from './triggers/schedule.ts'

/** What the outside gives: a store, the way to the hosts, time. */
export interface Ingredients extends Pick<PipelineParts, 'db' | 'random'> {
  readonly config: Config
  readonly clock: Clock
  readonly logger: Logger
  readonly events: Events
  readonly agents: Agents
  readonly sealer: Sealer
  /** Default: one of its own. */
  readonly audit?: Audit
  /** What hosts have to pin of this manager. */
  readonly identity: () => PublicIdentity
}

export interface Assembly {
  readonly parts: ManagerParts
  readonly queue: Queue
  /** Ready for requests, not listening yet. */
  readonly server: Api
  /** Begins to work: deployments that an earlier process left running go on. */
  start(): Promise<void>
  /** Begins nothing new and lets go of the hosts; running deployments are left for the next start. */
  stop(): Promise<void>
}

/** An engine looks at each of what may be ten thousands of entries; meanwhile no cache outgrows its bounds by much. */
const CACHE_EVERY_MS = 600_000

/** Puts the parts of a manager together, without listening anywhere. */
export async function assemble(given: Ingredients): Promise<Assembly> {
  const { config, clock, logger, agents } = given
  const http = createHttpClient({ clock, allowPrivate: config.allowPrivate })
  const places = createPlaces({ ...given, http, addressRules: config, publicUrl: config.publicUrl })
  const outbox = createOutbox({ ...given, places })
  await outbox.refresh()
  const pipelineParts: PipelineParts = {
    ...given,
    outbox,
    logs: new DeploymentLogs(await logPlace(given)),
    registry: registryFacts(config),
    baseDomain: config.baseDomain,
    deadlines: config.deadlines,
    allow: config,
    keepReleases: config.keepReleases,
    notebooks: { bases: [], ...config.notebooks, openAt: `${config.publicUrl}/open/` },
    http,
    mostUnattended: config.mostUnattended,
    isCacheDue: atMostEvery(clock, CACHE_EVERY_MS),
    wake: () => queue.wake(),
  }
  const queue = createQueue({ parts: pipelineParts, logger, perHost: config.concurrency })
  const poller = pollerFor(pipelineParts)
  const parts: ManagerParts = { ...pipelineParts, config, outbox, queue, poller, identity: given.identity }
  const scheduler = createScheduler(pipelineParts)
  const follower = createImageFollower(pipelineParts)
  const backups = createBackupKeeper(parts)
  const audit = given.audit ?? createAudit(parts)
  const members = createMemberKeeper({ ...parts, audit })
  const observer = createObserver(pipelineParts, config.observeMs)
  const server = await createServer(parts, audit)
  const timers: Timer[] = []
  const traces = startSendingTraces(pipelineParts, config.traces)
  return {
    parts,
    queue,
    server,
    async start() {
      timers.push(
        startEndingVisits(parts),
        startRedirects(parts),
        startHousekeeping(parts),
        startBringingKeys(parts),
        startKeeper(parts, parts),
      )
      timers.push(watchFirewalls(pipelineParts, config.observeMs), startTendingLists(parts))
      const pruning = startPruning(parts, config.pruneHours)
      timers.push(...(pruning ? [pruning] : []))
      await poller.start()
      observer.start()
      scheduler.start()
      await follower.start()
      backups.start()
      members.start()
      queue.wake()
      outbox.wake()
    },
    async stop() {
      for (const timer of timers) {
        timer.close()
      }
      // Looks and deployments wait for agents: they end when the connections do.
      const looking = Promise.all([
        poller.close(),
        observer.close(),
        scheduler.close(),
        follower.close(),
        backups.close(),
        members.close(),
      ])
      await queue.close()
      await agents.close()
      await looking
      await outbox.close()
      await traces?.close()
    },
  }
}

/** One of several managers keeps them where the others find them; one that is alone again reads on what they left there. */
async function logPlace({ config, db }: Pick<Ingredients, 'config' | 'db'>): Promise<LogPlace> {
  const files = logFiles(join(config.data, 'logs'))
  return config.peers || (await hasLogRows(db)) ? logRows(db, files) : files
}

function registryFacts({ registry }: Config) {
  return (
    registry && {
      address: registry.address,
      username: registry.username,
      password: registry.password.reveal(),
      ...(registry.ca === undefined ? {} : { ca: registry.ca }),
    }
  )
}
