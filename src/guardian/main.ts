import { actOn, readVersion, serveUntilStopped, tellEnd } from '#agent/program.ts'
import { systemClock } from '#lib/clock.ts'
import { asFairleadError } from '#lib/errors.ts'
import { createLogger, type Logger } from '#lib/logger.ts'
import { type GuardianConfig, readGuardianConfig } from './config.ts'

const role = 'guardian'

if (import.meta.main) {
  await main(process.argv.slice(2))
}

async function main(words: readonly string[]): Promise<void> {
  const logger = createLogger(role, words.length === 0 ? 1 : 2)
  try {
    const config = readGuardianConfig()
    const [word, change = '', delayMs] = words
    if (word === 'undo') {
      await undo(logger, config, { change, delayMs: Number(delayMs) })
    } else if (word === undefined) {
      await serve(logger, config)
    } else {
      await actOn(words, config, { role, logger, print: text => void process.stdout.write(text) })
    }
  } catch (error) {
    end(logger, error)
  }
}

async function serve(logger: Logger, config: GuardianConfig): Promise<void> {
  logger.info('guardian.starting', { data: config.data, bounds: config.boundsFile })
  const [{ COMMANDS }, { startGuardian }] = await Promise.all([
    import('#commands/index.ts'),
    import('./guardian.ts'),
  ])
  const guardian = await startGuardian({
    config,
    commands: COMMANDS,
    build: readVersion(),
    clock: systemClock,
    logger,
    onEnd: error => end(logger, error),
  })
  serveUntilStopped(guardian, { role, logger, host: config.listen.host, exit: code => process.exit(code) })
}

/** Started by a guardian beside itself: takes a change back that nobody has confirmed, whatever becomes of the guardian. */
async function undo(
  logger: Logger,
  config: GuardianConfig,
  { change, delayMs }: { readonly change: string; readonly delayMs: number },
): Promise<void> {
  const { openFirewall } = await import('./open-firewall.ts')
  await openFirewall(config, { clock: systemClock, logger }).undoUnlessConfirmed(change, delayMs)
}

/** Says what is wrong and how to mend it, and ends the process. */
function end(logger: Logger, error: unknown): never {
  process.exit(tellEnd(asFairleadError(error), { role, logger }))
}
