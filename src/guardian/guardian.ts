import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Agent, startAgent } from '#agent/agent.ts'
import { Journal } from '#agent/journal.ts'
import { Obey } from '#agent/obey.ts'
import { peersIn } from '#agent/peers.ts'
import type { Command, HostFacts } from '#commands/command.ts'
import type { Firewall } from '#commands/firewall-data.ts'
import { removeLeftovers } from '#exec/leftovers.ts'
import { createPerform } from '#exec/perform.ts'
import { background } from '#lib/background.ts'
import type { Clock } from '#lib/clock.ts'
import type { FairleadError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { loadIdentity } from '#link/identity.ts'
import type { GuardianConfig } from './config.ts'
import { confirmedAnew } from './confirmed-anew.ts'
import { defaultInterfaces, isMeant } from './default-interfaces.ts'
import { BOUNDS_INVALID } from './errors.ts'
import { openFirewall } from './open-firewall.ts'

export interface GuardianOptions {
  readonly config: GuardianConfig
  /** Of every role: what is for others is refused by name. */
  readonly commands: readonly Command[]
  readonly build: string
  readonly clock: Clock
  readonly logger: Logger
  /** The guardian cannot go on, for example because its last manager was revoked. */
  readonly onEnd: (error: FairleadError) => void
}

const LEFTOVER_GRACE_MS = 5_000

/** Starts the guardian: the rules are put right first, and it listens last. Throws what is wrong with its files. */
export async function startGuardian(options: GuardianOptions): Promise<Agent> {
  const { config, commands, build, clock, logger, onEnd } = options
  refuseTrustedOutside(config)
  const identity = loadIdentity({ folder: config.data, clock })
  const peers = peersIn(config.data)
  peers.load()
  const folders = { commands: join(config.data, 'commands'), temporary: join(config.data, 'temporary') }
  for (const folder of Object.values(folders)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }
  await using opened = new AsyncDisposableStack()
  // First: it refuses a second guardian in this folder, which must not take the programs of the first for left over.
  const journal = opened.adopt(new Journal(join(config.data, 'journal.db'), clock), open => open.close())
  await removeLeftovers({ folder: folders.temporary, clock, graceMs: LEFTOVER_GRACE_MS, kept: [] })
  const firewall = openFirewall(config, { clock, logger })
  await firewall.keep()
  opened.adopt(
    clock.every(config.lookEveryMs, () =>
      background(firewall.keep(), error =>
        logger.error('guardian.failed-to-keep', { reason: error.message }),
      ),
    ),
    timer => timer.close(),
  )
  const obey = opened.adopt(
    new Obey({
      ...{ role: 'guardian', commands, journal, clock, logger },
      host: hostFacts(identity.name, config, confirmedAnew(firewall, clock)),
      createPerform: parts =>
        createPerform({ ...parts, workspace: config.data, temporary: folders.temporary }),
      // No command of a guardian starts a program that outlives it.
      takeUp: async () => undefined,
      logs: folders.commands,
    }),
    open => open.close(),
  )
  return await startAgent({
    ...{ role: 'guardian', identity, peers, build, journal, obey, clock, logger, onEnd, opened },
    listen: config.listen,
  })
}

/** An interface to the outside that counts as one of containers would be open to everybody. */
function refuseTrustedOutside({ bounds, boundsFile }: GuardianConfig): void {
  for (const name of defaultInterfaces()) {
    const pattern = bounds.inner.find(each => isMeant(name, each))
    if (pattern !== undefined) {
      throw BOUNDS_INVALID(
        boundsFile,
        `"${pattern}" in inner means ${name}, over which this host reaches other networks; list in "inner" only the bridges of containers`,
      )
    }
  }
}

/** A guardian has nothing of what the commands of workers work with, and does none of them. */
function hostFacts(name: string, { data }: GuardianConfig, firewall: Firewall): HostFacts {
  const none = () => Promise.reject(new Error('A guardian serves no names.'))
  return {
    ...{ name, firewall },
    workspace: data,
    dockerSocket: '',
    dockerHome: '',
    network: { name: '', subnet: '' },
    proxy: undefined,
    policy: { mode: 'enforce', ports: { from: 1, to: 0, never: [] }, allowPrivate: [], registries: [] },
    switchboard: {
      ...{ slots: none, ports: none, point: none, forget: none, current: () => undefined },
      earlier: { of: () => [], all: () => [], mark: none },
    },
  }
}
