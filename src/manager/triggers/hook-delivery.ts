import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { GitHost, RawDelivery } from '#git-hosts/git-host.ts'
import { gitHostNamed } from '#git-hosts/index.ts'
import type { Clock } from '#lib/clock.ts'
import { randomText } from '#lib/id.ts'
import type { Logger } from '#lib/logger.ts'
import { hookSecretPlace } from '#manager/repositories/webhook-secret.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import { compiledOnce } from '#manager/store/compiled-once.ts'
import type { Tables } from '#manager/store/tables.ts'
import { DELIVERY_ID_MISSING, NOT_SIGNED } from './errors.ts'
import type { Delivery, HookRow } from './push.ts'

type Hook = HookRow

interface VerifierOptions {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly sealer: Sealer
  readonly logger: Logger
}

export interface Verified {
  readonly hook: Hook
  readonly host: GitHost
}

/** Without an id of the sender's own, equal bodies within this time are one delivery. */
const SAME_WITHIN_MS = 30_000

/**
 * Finds the hook and verifies the signature with the scheme that the hook was made for, whatever the request suggests.
 * An unknown hook is verified against a secret nobody knows, so that it takes as long and says the same.
 */
export function createVerifier({ db, clock, sealer, logger }: VerifierOptions) {
  const nobody = nobodysHook(sealer)

  return async (hookId: string, raw: RawDelivery): Promise<Verified | 'unsigned-test'> => {
    const [found] = await hookWithId(db, { id: hookId })
    const hook = found ?? nobody
    const host = gitHostNamed(hook.git_host)
    const secrets = secretsOf(hook)
    if (secrets.includes('')) {
      logger.error('hook.without-secret', { hook: hook.id })
    }
    if (!host?.verify(raw, secrets) || !found) {
      if (found && host?.isUnsignedTest?.(raw)) {
        return 'unsigned-test'
      }
      throw NOT_SIGNED()
    }
    return { hook, host }
  }

  function secretsOf(hook: Hook): string[] {
    const place = hookSecretPlace(hook.id)
    const previous = (hook.previous_until ?? 0) > clock.now() ? hook.previous_sealed : null
    return [hook.secret_sealed, previous]
      .filter(sealed => sealed !== null)
      .map(sealed => sealer.open(sealed, place))
  }
}

const hookWithId = compiledOnce((db, { id }: { id: string }) =>
  db
    .selectFrom('hooks')
    .innerJoin('repositories', 'repositories.id', 'hooks.repository_id')
    .selectAll('hooks')
    .select('repositories.url as repository_url')
    .where('hooks.id', '=', id),
)

/** What the host says in a verified delivery. */
export function readDelivery({ hook, host }: Verified, raw: RawDelivery, body: unknown): Delivery {
  return {
    hook,
    id: deliveryId(hook, host, raw),
    bodySha256: createHash('sha256').update(raw.body).digest('hex'),
    isKnownByBody: host.headers.delivery !== undefined && host.headers.timestamp === undefined,
    eventName: (raw.headers[host.headers.event ?? ''] ?? 'push').slice(0, 100),
    event: host.read(raw, body),
  }
}

function deliveryId(hook: Hook, host: GitHost, raw: RawDelivery): string {
  const { delivery: header, deliveryIsNew } = host.headers
  if (header === undefined || (deliveryIsNew && raw.headers[header] === undefined)) {
    const window = Math.floor(raw.receivedAt / SAME_WITHIN_MS)
    return createHash('sha256').update(`${hook.id}\n${window}\n`).update(raw.body).digest('hex')
  }
  const id = raw.headers[header] ?? ''
  if (!/^[\x21-\x7e]{1,100}$/.test(id)) {
    throw DELIVERY_ID_MISSING(header)
  }
  return id
}

const NOBODYS_PLACE = hookSecretPlace('nobody')

function nobodysHook(sealer: Sealer): Hook {
  return {
    id: 'nobody',
    repository_id: '',
    repository_url: '',
    git_host: 'github',
    secret_sealed: sealer.seal(randomText(32), NOBODYS_PLACE),
    previous_sealed: null,
    previous_until: null,
    remote_id: null,
    last_delivery_at: null,
    created_at: 0,
  }
}
