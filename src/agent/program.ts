import { readFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { join as joinPath } from 'node:path'
import { systemClock } from '#lib/clock.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import { returnMemoryWhenIdle } from '#lib/idle-memory.ts'
import type { Logger } from '#lib/logger.ts'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { type AgentPlace, init, revoke, trust } from './enrol.ts'
import { UNKNOWN_WORD } from './errors.ts'
import { join } from './join.ts'

/** EX_CONFIG: starting again changes nothing, a person must act (systemd: RestartPreventExitStatus=78). */
const CONFIG_EXIT = 78

export interface AgentProgram {
  readonly role: 'worker' | 'guardian'
  readonly logger: Logger
  /** Writes to standard output. */
  readonly print: (text: string) => void
}

interface Joining extends AgentPlace {
  readonly listen: { readonly host: string; readonly port: number }
}

/** What was said on the command line besides nothing, which is to serve. */
export async function actOn(
  [word = '', argument = '', ...more]: readonly string[],
  place: Joining,
  { role, logger, print }: AgentProgram,
): Promise<void> {
  switch (word) {
    case 'init':
      print(`${JSON.stringify(init(place, { role, clock: systemClock }), undefined, 2)}\n`)
      return
    case 'trust':
      logger.info(`${role}.trusts`, { manager: trust(place, argument).keyId })
      return
    case 'join':
      print(await joinWith(place, role, [argument, ...more]))
      return
    case 'revoke':
      revoke(place, argument)
      logger.info(`${role}.revoked`, { manager: argument })
      return
    default:
      throw UNKNOWN_WORD(role, word)
  }
}

/** Enrols this agent; gives as JSON what a person should know of it. */
async function joinWith(
  place: Joining,
  role: AgentProgram['role'],
  [token = '', manager = '', address = '', name = '']: readonly string[],
): Promise<string> {
  const joined = await join({
    ...place,
    role,
    listenVariable: `FAIRLEAD_${role.toUpperCase()}_LISTEN`,
    clock: systemClock,
    token,
    manager,
    address: address || undefined,
    name: name || place.name,
  })
  return `${JSON.stringify({ host: joined.host, address: joined.address, manager: joined.manager.keyId })}\n`
}

interface Serving {
  readonly port: number
  reload(): void
  close(): Promise<void>
}

/** Lets a started agent run until it is told to stop; `exit` gets how the process is to end. */
export function serveUntilStopped(
  agent: Serving,
  { role, logger, host, exit }: Omit<AgentProgram, 'print'> & { host: string; exit: (code: number) => void },
): void {
  process.on('SIGHUP', () => agent.reload())
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.info(`${role}.stopping`, { signal })
      agent.close().then(
        () => exit(0),
        (error: unknown) => exit(tellEnd(asFairleadError(error), { role, logger })),
      )
    })
  }
  logger.info(`${role}.listening`, { address: `${host}:${agent.port}` })
  returnMemoryWhenIdle(systemClock)
  // For the next start, whatever ends this one: with it neither parser nor type stripper is needed again.
  flushCompileCache()
}

/** Says what is wrong and how to mend it; gives the exit code. */
export function tellEnd(
  { code, message, hint, retry, problems = [] }: FairleadError,
  { role, logger }: Omit<AgentProgram, 'print'>,
): number {
  for (const { path, message: problem } of problems) {
    logger.error(`${role}.problem`, { path, message: problem })
  }
  logger.error(`${role}.failed`, { code, reason: message, hint })
  return retry === 'never' ? CONFIG_EXIT : 1
}

export function readVersion(): string {
  const text = readFileSync(joinPath(PACKAGE_ROOT, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
