import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { systemClock } from '#lib/clock.ts'
import { asFairleadError, toWire } from '#lib/errors.ts'
import { armFailpoints } from '#lib/failpoint.ts'
import { returnMemoryWhenIdle } from '#lib/idle-memory.ts'
import { createLogger, type Logger } from '#lib/logger.ts'
import { prepareIdentity } from '#link/changed-identity.ts'
import { publicIdentity } from '#link/identity.ts'
import { readConfig, readDatabaseAddress, readDataFolder, readFailpoints, summarise } from './config.ts'
import { UNKNOWN_WORD } from './errors.ts'
import { Standby } from './leadership/standby.ts'
import {
  identityPlace,
  loadManagerIdentity,
  type Manager,
  type ManagerOptions,
  startManager,
} from './manager.ts'
import { writeTokenFile } from './people/token-file.ts'
import { addKey } from './secrets/key-file.ts'
import { checkStore } from './store/check-store.ts'
import { DATABASE_FILE } from './store/database.ts'
import { STORE_IN_USE } from './store/errors.ts'

/** EX_CONFIG: starting again changes nothing, a person must act (systemd: RestartPreventExitStatus=78). */
const CONFIG_EXIT = 78
/** A shutdown that takes longer is cut short: everything that matters is on the disk already. */
const SHUTDOWN_MS = 20_000

if (import.meta.main) {
  await main(process.argv.slice(2))
}

async function main([word]: readonly string[]): Promise<void> {
  // Nobody else reads what the manager writes.
  process.umask(0o077)
  const logger = createLogger('manager', word === undefined ? 1 : 2)
  try {
    await act(logger, word)
  } catch (error) {
    end(logger, error)
  }
}

async function act(logger: Logger, word: string | undefined): Promise<void> {
  switch (word) {
    case undefined:
      await serve(logger)
      return
    case 'identity': {
      const identity = publicIdentity(loadManagerIdentity(readConfig(), systemClock))
      process.stdout.write(`${JSON.stringify(identity, undefined, 2)}\n`)
      return
    }
    case 'rotate-key': {
      addKey(join(readConfig().data, 'secret.key'))
      process.stdout.write('The next start of the manager seals all secrets with the new key.\n')
      return
    }
    case 'rotate-identity': {
      const keyId = prepareIdentity(identityPlace(readConfig(), systemClock))
      process.stdout.write(`The next start of the manager takes the key ${keyId}, and its hosts learn it.\n`)
      return
    }
    case 'check': {
      const checked = checkStore(join(readDataFolder(), DATABASE_FILE))
      process.stdout.write(`${JSON.stringify(checked)}\n`)
      return
    }
    case 'backup':
      await backUp(logger)
      return
    default:
      throw UNKNOWN_WORD(word)
  }
}

/** Takes a request on standard input and gives the answer, or the error, on standard output. */
async function backUp(logger: Logger): Promise<void> {
  armFailpoints(readFailpoints())
  // Nothing of it is kept in memory by a manager that serves.
  const { runBackup } = await import('./backup/run-backup.ts')
  const request = await text(process.stdin)
  const act = async () => {
    const parts = { clock: systemClock, logger, database: readDatabaseAddress() }
    return await runBackup(readDataFolder(), request, parts)
  }
  const answer = await act().catch(error => ({ error: toWire(asFairleadError(error)) }))
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

async function serve(logger: Logger): Promise<void> {
  const config = readConfig()
  logger.info('manager.starting', summarise(config))
  armFailpoints(config.failpoints)
  const options: ManagerOptions = {
    config,
    clock: systemClock,
    logger,
    // At once, and with it all connections to hosts: its supervisor starts it again, to stand by.
    deposed: error => end(logger, error),
    showToken(token) {
      const file = config.adminTokenFile
      if (file === undefined) {
        const note = 'Keep it: it is shown this once. It may do everything.'
        logger.info('manager.first-token', { token, note })
        return
      }
      writeTokenFile(file, token)
      logger.info('manager.first-token', { file, note: 'The token in it may do everything.' })
    },
    showFirstStart({ code, until }) {
      const url = `${config.publicUrl}/first-start`
      // Where the token is kept out of the log, so is this.
      if (config.adminTokenFile !== undefined) {
        const note = 'Nobody has an account yet: "fairlead people first" prints the code for the first one.'
        logger.info('manager.first-start', { url, note })
        return
      }
      const note = 'Nobody has an account yet. Whoever types in this code first becomes admin.'
      logger.info('manager.first-start', { url, code, until: new Date(until).toISOString(), note })
    },
  }
  const manager = await startWhenFree(options)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.info('manager.stopping', { signal })
      systemClock.after(SHUTDOWN_MS, () => process.exit(1))
      manager.close().then(
        () => process.exit(0),
        (error: unknown) => end(logger, error),
      )
    })
  }
  logger.info('manager.listening', { url: manager.url })
  returnMemoryWhenIdle(systemClock)
  // For the next start, whatever ends this one: with it neither parser nor type stripper is needed again.
  flushCompileCache()
}

/** One of several managers stands by until none leads; the only one of its database starts, or is refused. */
async function startWhenFree(options: ManagerOptions): Promise<Manager> {
  const { config, logger } = options
  if (!config.peers || !config.database) {
    return await startManager(options)
  }
  const standby = new Standby({ ...options, database: config.database })
  for (;;) {
    const isFree = await untilSignal(signal => standby.untilFree(signal))
    if (!isFree) {
      logger.info('manager.stopping')
      await standby.close()
      process.exit(0)
    }
    try {
      const manager = await startManager({ ...options, beforeListening: () => standby.close() })
      logger.info('manager.leading', { name: config.peers.name, epoch: manager.epoch })
      return manager
    } catch (error) {
      // A third one was quicker.
      if (!STORE_IN_USE.matches(error)) {
        throw error
      }
    }
  }
}

async function untilSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ending = new AbortController()
  const end = () => ending.abort()
  process.on('SIGTERM', end).on('SIGINT', end)
  try {
    return await work(ending.signal)
  } finally {
    process.off('SIGTERM', end).off('SIGINT', end)
  }
}

/** Says what is wrong and how to mend it, and ends the process. */
function end(logger: Logger, thrown: unknown): never {
  const error = asFairleadError(thrown)
  const { code, message, hint, retry, problems = [] } = error
  for (const { path, message: problem } of problems) {
    logger.error('manager.problem', { path, message: problem })
  }
  const { cause } = error
  logger.error('manager.failed', {
    code,
    message,
    hint,
    cause: cause instanceof Error ? cause.stack : undefined,
  })
  process.exit(retry === 'never' ? CONFIG_EXIT : 1)
}
