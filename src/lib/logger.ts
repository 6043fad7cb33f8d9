import { type Logger as PinoLogger, pino } from 'pino'

/** Structured log: every line has a static `event` name and fields, never an interpolated sentence. */
export interface Logger {
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  /** A logger that adds these fields to each line. */
  child(fields: LogFields): Logger
}

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>

/** Characters that wait for room; more are dropped. */
const MOST_WAITING = 256 * 1024

/** JSON lines on standard output (or the given file descriptor). Fields are scalars, so no object can smuggle a secret in. */
export function createLogger(part: string, fd = 1): Logger {
  const destination = pino.destination({ dest: fd, sync: true, maxLength: MOST_WAITING })
  // A full disk costs log lines, never the process.
  destination.on('error', () => undefined)
  return wrap(pino({ base: { part }, timestamp: pino.stdTimeFunctions.isoTime }, destination))
}

/** A logger for tests and one-shot commands that prints nothing. */
export const silentLogger: Logger = {
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
}

function wrap(logger: PinoLogger): Logger {
  return {
    info: (event, fields) => logger.info({ event, ...fields }),
    warn: (event, fields) => logger.warn({ event, ...fields }),
    error: (event, fields) => logger.error({ event, ...fields }),
    child: fields => wrap(logger.child(fields)),
  }
}
