import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Agent, startAgent } from '#agent/agent.ts'
import { Journal } from '#agent/journal.ts'
import { Obey } from '#agent/obey.ts'
import { peersIn } from '#agent/peers.ts'
import type { Command, Gate, HostFacts, Switchboard } from '#commands/command.ts'
import { wake } from '#commands/container-sleep.ts'
import type { ToldPolicy } from '#contract/told-policy.ts'
import { removeLeftovers } from '#exec/leftovers.ts'
import { createPerform } from '#exec/perform.ts'
import { takeUp } from '#exec/run-outliving.ts'
import type { Clock } from '#lib/clock.ts'
import type { FairleadError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { VisitorPorts } from '#lib/visit-origin.ts'
import { loadIdentity } from '#link/identity.ts'
import type { WorkerConfig } from './config.ts'
import { linkForCli } from './engine-tls.ts'
import { openGate } from './gate.ts'
import { ownHands } from './own-hands.ts'
import { keepSleep } from './sleep-keeper.ts'
import { openSwitchboard } from './switchboard.ts'

export interface WorkerOptions {
  readonly config: WorkerConfig
  readonly commands: readonly Command[]
  readonly build: string
  readonly clock: Clock
  readonly logger: Logger
  /** The worker cannot go on, for example because its last manager was revoked. */
  readonly onEnd: (error: FairleadError) => void
}

/** For programs that a killed worker left running. */
const LEFTOVER_GRACE_MS = 5_000

/** Starts the worker: it opens its files first and listens last. Throws what is wrong with them. */
export async function startWorker(options: WorkerOptions): Promise<Agent> {
  const { config, commands, build, clock, logger, onEnd } = options
  const identity = loadIdentity({ folder: config.data, clock })
  const peers = peersIn(config.data)
  peers.load()
  const folders = makeFolders(config.data)
  await using opened = new AsyncDisposableStack()
  // First: it refuses a second worker in this folder, which must not take the programs of the first for left over.
  const journal = opened.adopt(new Journal(join(config.data, 'journal.db'), clock), open => open.close())
  const known = journal.orphans().filter(orphan => commands.some(({ name }) => name === orphan.name))
  await removeLeftovers({
    folder: folders.temporary,
    clock,
    graceMs: LEFTOVER_GRACE_MS,
    kept: known.map(({ orphan }) => orphan.program),
  })
  const remote = linkForCli(config.data, config.engines?.tls ?? new Map())
  const switchboard = opened.adopt(
    await openSwitchboard({
      folder: config.data,
      listen: `127.0.0.1:${config.resolverPort}`,
      subnet: config.network.subnet,
      clock,
    }),
    open => open.close(),
  )
  const gate = opened.adopt(
    await openGate({
      folder: config.data,
      workspace: folders.workspace,
      switchboard,
      listen: `127.0.0.1:${config.gatePort}`,
      clock,
      wake: (name, wish) => wake(own, name, wish),
    }),
    open => open.close(),
  )
  const host = hostFacts(config, {
    switchboard,
    gate,
    resolver: switchboard.resolver,
    folders,
    name: identity.name,
  })
  const stopping = new AbortController()
  const own = ownHands({
    host,
    clock,
    logger,
    signal: stopping.signal,
    createPerform: parts =>
      createPerform({
        ...parts,
        workspace: folders.workspace,
        temporary: folders.temporary,
        engines: remote,
      }),
  })
  opened.defer(() => stopping.abort())
  opened.adopt(keepSleep({ hands: own, clock, logger }), keeper => keeper.close())
  const obey = opened.adopt(
    new Obey({
      role: 'worker',
      commands,
      host,
      createPerform: parts =>
        createPerform({
          ...parts,
          workspace: folders.workspace,
          temporary: folders.temporary,
          engines: remote,
        }),
      takeUp: (program, parts) => takeUp(program, { ...parts, temporary: folders.temporary }),
      journal,
      logs: folders.commands,
      clock,
      logger,
    }),
    open => open.close(),
  )
  return await startAgent({
    ...{ role: 'worker', identity, peers, build, journal, obey, clock, logger, onEnd, opened },
    listen: config.listen,
    visitors: visitorPorts(config),
    policy: toldPolicy(config),
  })
}

/** Of the policy what files and plans are judged by; the rest is nobody else's business. */
function toldPolicy({ policy: { mode, ports, registries, limits } }: WorkerConfig): ToldPolicy {
  const { from, to, never } = ports
  return {
    ...{ mode, ports: { from, to, never: [...never] }, registries: [...registries] },
    // What its file does not name is not a key of it.
    ...(limits ? { limits: limits as NonNullable<ToldPolicy['limits']> } : {}),
  }
}

function visitorPorts({ proxy }: WorkerConfig): VisitorPorts | undefined {
  return proxy && { httpPort: proxy.httpPort, httpsPort: proxy.httpsPort }
}

interface Folders {
  readonly workspace: string
  readonly commands: string
  readonly temporary: string
  readonly dockerHome: string
}

function makeFolders(data: string): Folders {
  const folders = {
    workspace: join(data, 'workspace'),
    commands: join(data, 'commands'),
    temporary: join(data, 'temporary'),
    dockerHome: join(data, 'docker'),
  }
  for (const folder of Object.values(folders)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }
  const dockerConfig = join(folders.dockerHome, 'config.json')
  if (!existsSync(dockerConfig)) {
    writeFileSync(dockerConfig, '{}\n', { mode: 0o600 })
  }
  return folders
}

interface Opened {
  readonly switchboard: Switchboard
  readonly gate: Gate
  readonly resolver: string
  readonly folders: Folders
  readonly name: string
}

function hostFacts(config: WorkerConfig, { switchboard, gate, resolver, folders, name }: Opened): HostFacts {
  return {
    name,
    workspace: folders.workspace,
    dockerSocket: config.dockerSocket,
    engines: config.engines?.engines,
    dockerHome: folders.dockerHome,
    network: config.network,
    proxy: config.proxy && { ...config.proxy, resolver },
    policy: config.policy,
    stacksRoot: config.stacksRoot,
    systems: config.systems,
    switchboard,
    gate,
  }
}
