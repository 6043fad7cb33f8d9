import { actOn, readVersion, serveUntilStopped, tellEnd } from '#agent/program.ts'
import { systemClock } from '#lib/clock.ts'
import { asFairleadError } from '#lib/errors.ts'
import { armFailpoints } from '#lib/failpoint.ts'
import { createLogger, type Logger } from '#lib/logger.ts'
import { modeBanner } from '#policy/mode.ts'
import { readWorkerConfig, summarise } from './config.ts'

const role = 'worker'

if (import.meta.main) {
  await main(process.argv.slice(2))
}

async function main(words: readonly string[]): Promise<void> {
  const logger = createLogger(role, words.length === 0 ? 1 : 2)
  try {
    const config = readWorkerConfig()
    if (words.length > 0) {
      await actOn(words, config, { role, logger, print: text => void process.stdout.write(text) })
      return
    }
    await serve(logger, config)
  } catch (error) {
    end(logger, error)
  }
}

async function serve(logger: Logger, config: ReturnType<typeof readWorkerConfig>): Promise<void> {
  logger.info('worker.starting', summarise(config))
  const banner = modeBanner(config.policy.mode)
  if (banner !== undefined) {
    logger.warn('worker.policy', { banner })
  }
  armFailpoints(config.failpoints)
  // Only here: init and trust are done by people and by `up` while they wait, and need none of it.
  const [{ COMMANDS }, { startWorker }] = await Promise.all([
    import('#commands/index.ts'),
    import('./worker.ts'),
  ])
  const worker = await startWorker({
    config,
    commands: COMMANDS,
    build: readVersion(),
    clock: systemClock,
    logger,
    onEnd: error => end(logger, error),
  })
  serveUntilStopped(worker, { role, logger, host: config.listen.host, exit: code => process.exit(code) })
}

/** Says what is wrong and how to mend it, and ends the process. */
function end(logger: Logger, error: unknown): never {
  process.exit(tellEnd(asFairleadError(error), { role, logger }))
}
