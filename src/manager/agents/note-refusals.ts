import { background } from '#lib/background.ts'
import type { Clock } from '#lib/clock.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import type { Logger } from '#lib/logger.ts'
import type { Audit } from '#manager/audit/audit.ts'
import type { AgentConnection } from './connection.ts'

/** Of each host within a minute: one that is broken into, or a defect, must not fill the disk. */
const MOST_LINES = 20
const WINDOW_MS = 60_000
const LONGEST_TEXT = 300

/** What an agent answers to what it must not do, beside everything with status 403. */
const FORBIDDEN: readonly string[] = [
  'BAD_FRAME',
  'BAD_PARAMS',
  'COMMAND_CONFLICT',
  'COMMITTED_PATH_REFUSED',
  'COMPOSE_NOT_ALLOWED',
  'DOCKERFILE_REFUSED',
  'IMAGE_PATH_REFUSED',
  'LINKS_BRANCH_REFUSED',
  'PATH_LEAVES_WORKSPACE',
  'RELEASE_FORBIDDEN',
  'REPOSITORY_PATH_REFUSED',
  'REPOSITORY_URL_REFUSED',
  'WRITE_BACK_PATH_REFUSED',
]
/** What comes from an agent that is not the one that is pinned, or breaks the protocol. */
const ROGUE: readonly string[] = ['AGENT_MISBEHAVES', 'AGENT_UNPROVEN']

export interface RefusalNotes {
  /** A host's agent did not do what it was told, if that is because it must not. */
  refused(host: string, told: { readonly id: string; readonly command: string }, error: unknown): void
  /** An agent sent what no agent may send. */
  odd(host: { readonly name: string; readonly address: string }, why: string): void
  /** Notes from now on when what answers is not the agent, or breaks the protocol. */
  watch(
    host: { readonly name: string; readonly address: string },
    connection: Pick<AgentConnection, 'onChange' | 'state'>,
  ): void
}

/** Writes into the audit log what hosts refuse to do, and what this manager refuses of hosts. */
export function noteRefusals({
  audit,
  clock,
  logger,
}: {
  readonly audit: Pick<Audit, 'add'>
  readonly clock: Clock
  readonly logger: Logger
}): RefusalNotes {
  const counts = new Map<string, { since: number; count: number }>()

  function isOneTooMany(host: string): boolean {
    const now = clock.monotonic()
    const known = counts.get(host)
    const window = known && now - known.since <= WINDOW_MS ? known : { since: now, count: 0 }
    window.count += 1
    counts.set(host, window)
    if (window.count === MOST_LINES + 1) {
      logger.warn('audit.refusals-left-out', { host, within_ms: WINDOW_MS })
    }
    return window.count > MOST_LINES
  }

  function note(host: string, line: { request: string; who: string; address: string }, what: Noted): void {
    if (isOneTooMany(host)) {
      return
    }
    const { action, target, status } = what
    const text = target.slice(0, LONGEST_TEXT)
    const entry = { ...line, action, target: text, plan_hash: null, details: null, status }
    background(audit.add({ ...entry, result: 'refused' }), error =>
      logger.error('audit.not-written', { host, message: error.message }),
    )
  }

  const ofAgent = ({ name, address }: { readonly name: string; readonly address: string }) => ({
    request: newId(),
    who: `agent ${name}`,
    address,
  })

  return {
    refused(host, { id, command }, thrown) {
      const error = asFairleadError(thrown)
      if (error.status === 403 || FORBIDDEN.includes(error.code)) {
        const target = `${command} of ${host}: ${said(error)}`
        note(
          host,
          { request: id, who: 'manager', address: '' },
          { action: `TOLD ${command}`, target, status: error.status },
        )
      }
    },
    odd(host, why) {
      note(host.name, ofAgent(host), { action: 'HEARD', target: why, status: null })
    },
    watch(host, connection) {
      let last: FairleadError | undefined
      connection.onChange(() => {
        const { lastError } = connection.state()
        if (lastError && lastError.message !== last?.message && ROGUE.includes(lastError.code)) {
          note(host.name, ofAgent(host), {
            action: 'HEARD',
            target: said(lastError),
            status: lastError.status,
          })
        }
        last = lastError
      })
    },
  }
}

interface Noted {
  readonly action: string
  readonly target: string
  readonly status: number | null
}

function said({ code, message }: FairleadError): string {
  return `${code}: ${message}`
}
