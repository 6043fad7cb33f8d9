import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { GitHost, RawDelivery } from '#git-hosts/git-host.ts'
import { gitHostNamed } from '#git-hosts/index.ts'
import { isTimely } from '#git-hosts/signature.ts'
import type { Clock } from '#lib/clock.ts'
import { randomText } from '#lib/id.ts'
import { hookSecretPlace, openHookSecrets } from '#manager/repositories/hook-secrets.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import { compiledOnce } from '#manager/store/compiled-once.ts'
import type { RefusalReason } from '#manager/store/hook-table.ts'
import type { Tables } from '#manager/store/tables.ts'
import { DELIVERY_ID_MISSING } from './errors.ts'
import type { Delivery, HookRow } from './push.ts'

type Hook = HookRow

interface VerifierOptions {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly sealer: Sealer
}

export interface Verified {
  readonly kind: 'verified'
  readonly hook: Hook
  readonly host: GitHost
  /** The secret that vouches for it. */
  readonly secret: 'current' | 'previous'
}

/** Not signed as it must be. */
export interface Unverified {
  readonly kind: 'unverified'
  /** Undefined when there is no such hook. */
  readonly hook: Hook | undefined
  readonly reason: RefusalReason
}

/** Without an id of the sender's own, equal bodies within this time are one delivery. */
const SAME_WITHIN_MS = 30_000

/**
 * Finds the hook and verifies the signature with the scheme that the hook was made for, whatever the request suggests.
 * An unknown hook is verified against a secret nobody knows, so that it takes as long and says the same; so is one whose
 * own secret is of no use.
 */
export function createVerifier({ db, clock, sealer }: VerifierOptions) {
  const nobody = nobodysHook(sealer)
  const nobodysSecret = randomText(32)

  return async (hookId: string, raw: RawDelivery): Promise<Verified | Unverified | 'unsigned-test'> => {
    const [found] = await hookWithId(db, { id: hookId })
    const hook = found ?? nobody
    const host = gitHostNamed(hook.git_host)
    const { current, previous } = openHookSecrets(sealer, hook, clock.now())
    const first = current ?? nobodysSecret
    if (host?.verify(raw, previous === undefined ? [first] : [first, previous]) && found) {
      const isCurrent = previous === undefined || host.verify(raw, [first])
      return { kind: 'verified', hook, host, secret: isCurrent ? 'current' : 'previous' }
    }
    if (found && host?.isUnsignedTest?.(raw)) {
      return 'unsigned-test'
    }
    const hasSecret = current !== undefined || previous !== undefined
    return { kind: 'unverified', hook: found, reason: hasSecret ? reasonOf(host, raw) : 'no-secret' }
  }
}

function reasonOf(host: GitHost | undefined, { headers, receivedAt }: RawDelivery): RefusalReason {
  const { signature = '', timestamp } = host?.headers ?? {}
  if (!headers[signature]) {
    return 'no-signature'
  }
  return timestamp !== undefined && !isTimely(headers[timestamp] ?? '', receivedAt)
    ? 'stale-timestamp'
    : 'wrong-signature'
}

const hookWithId = compiledOnce((db, { id }: { id: string }) =>
  db
    .selectFrom('hooks')
    .innerJoin('repositories', 'repositories.id', 'hooks.repository_id')
    .selectAll('hooks')
    .select(['repositories.url as repository_url', 'repositories.is_private as repository_is_private'])
    .where('hooks.id', '=', id),
)

/** What the host says in a verified delivery. */
export function readDelivery({ hook, host, secret }: Verified, raw: RawDelivery, body: unknown): Delivery {
  return {
    hook,
    secret,
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
    repository_is_private: null,
    git_host: 'github',
    secret_sealed: sealer.seal(randomText(32), NOBODYS_PLACE),
    previous_sealed: null,
    previous_until: null,
    remote_id: null,
    last_delivery_at: null,
    last_refused_at: null,
    last_refused_reason: null,
    verified_with: null,
    created_at: 0,
  }
}
