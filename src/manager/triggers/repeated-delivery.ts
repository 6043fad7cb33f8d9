import type { DeploymentsContext } from '#manager/deployments/request.ts'
import { compiledOnce } from '#manager/store/compiled-once.ts'

interface Seen {
  readonly hook: { readonly id: string }
  readonly bodySha256: string
  readonly isKnownByBody: boolean
}

/** Afterwards it is a new one: it may stand for a push that nobody noticed. */
const REPEATED_WITHIN_MS = 3_600_000

/**
 * Who caught a delivery of a host that does not sign its id can send it again under as many ids as he likes. It is the
 * same one as long as no other push came after it: a branch may be moved there and back. Senders without ids are of
 * one's own, and may say the same of every push.
 */
export async function repeated({ db, clock }: DeploymentsContext, { hook, bodySha256, isKnownByBody }: Seen) {
  if (!isKnownByBody) {
    return undefined
  }
  const since = clock.now() - REPEATED_WITHIN_MS
  const [last] = await lastAccepted(db, { hook: hook.id, since })
  return last?.body_sha256 === bodySha256 ? last : undefined
}

const lastAccepted = compiledOnce((db, { hook, since }: { hook: string; since: number }) =>
  db
    .selectFrom('deliveries')
    .selectAll()
    .where('hook_id', '=', hook)
    .where('received_at', '>=', since)
    .where('state', '=', 'accepted')
    .orderBy('received_at', 'desc')
    .limit(1),
)
