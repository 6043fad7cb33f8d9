import { readFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { systemClock } from '#lib/clock.ts'
import { asFairleadError } from '#lib/errors.ts'
import { armFailpoints } from '#lib/failpoint.ts'
import { createLogger, type Logger } from '#lib/logger.ts'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { readWorkerConfig, summarise } from './config.ts'
import { init, revoke, trust } from './enrol.ts'
import { UNKNOWN_WORD } from './errors.ts'

/** EX_CONFIG: starting again changes nothing, a person must act (systemd: RestartPreventExitStatus=78). */
const CONFIG_EXIT = 78

if (import.meta.main) {
  await main(process.argv.slice(2))
}

async function main([word, argument = '']: readonly string[]): Promise<void> {
  const logger = createLogger('worker', word === undefined ? 1 : 2)
  try {
    await act(logger, word, argument)
  } catch (error) {
    end(logger, error)
  }
}

async function act(logger: Logger, word: string | undefined, argument: string): Promise<void> {
  const config = readWorkerConfig()
  switch (word) {
    case undefined:
      await serve(logger, config)
      return
    case 'init':
      process.stdout.write(`${JSON.stringify(init(config, systemClock), undefined, 2)}\n`)
      return
    case 'trust':
      logger.info('worker.trusts', { manager: trust(config, argument).keyId })
      return
    case 'revoke':
      revoke(config, argument)
      logger.info('worker.revoked', { manager: argument })
      return
    default:
      throw UNKNOWN_WORD(word)
  }
}

async function serve(logger: Logger, config: ReturnType<typeof readWorkerConfig>): Promise<void> {
  logger.info('worker.starting', summarise(config))
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
  process.on('SIGHUP', () => worker.reload())
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.info('worker.stopping', { signal })
      worker.close().then(
        () => process.exit(0),
        (error: unknown) => end(logger, error),
      )
    })
  }
  logger.info('worker.listening', { address: `${config.listen.host}:${worker.port}` })
  // For the next start, whatever ends this one: with it neither parser nor type stripper is needed again.
  flushCompileCache()
}

/** Says what is wrong and how to mend it, and ends the process. */
function end(logger: Logger, error: unknown): never {
  const { code, message, hint, retry, problems = [] } = asFairleadError(error)
  for (const { path, message: problem } of problems) {
    logger.error('worker.problem', { path, message: problem })
  }
  logger.error('worker.failed', { code, reason: message, hint })
  process.exit(retry === 'never' ? CONFIG_EXIT : 1)
}

function readVersion(): string {
  const text = readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
