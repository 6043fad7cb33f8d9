import { randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { NO_FACTOR } from '#manager/people/second-factor.ts'
import { hookSecretPlace } from '#manager/repositories/hook-secrets.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { RESTORE_HOST_UNKNOWN } from './errors.ts'

interface Context {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly sealer: Sealer
}

/**
 * Nobody knows what was revoked since the backup was made, so nothing in it lets in: not a token, session, invitation,
 * account, password, passkey, second factor, sign-in elsewhere, SSH key, join token, trust of CI jobs or webhook secret,
 * and of the hosts only those that a person names. An account that is unlocked has nothing to sign in with until its
 * owner is invited. Gives how many of each there were.
 */
export async function shutOut(
  { db, clock, sealer }: Context,
  hosts: readonly string[],
): Promise<Record<string, number>> {
  const now = clock.now()
  return await inTransaction(db, async inside => {
    const known = (await inside.selectFrom('hosts').select('name').orderBy('name').execute()).map(
      ({ name }) => name,
    )
    const unknown = hosts.find(name => !known.includes(name))
    if (unknown !== undefined) {
      throw RESTORE_HOST_UNKNOWN(unknown, known.join(', '))
    }
    const others = known.filter(name => !hosts.includes(name))
    if (others.length > 0) {
      await inside.deleteFrom('hosts').where('name', 'in', others).execute()
    }
    const sessions = await inside.deleteFrom('sessions').executeTakeFirst()
    const tokens = await inside.deleteFrom('tokens').executeTakeFirst()
    const trusts = await inside.deleteFrom('ci_trusts').executeTakeFirst()
    const providers = await inside.deleteFrom('providers').executeTakeFirst()
    const elsewhere = await inside.deleteFrom('provider_accounts').executeTakeFirst()
    const passkeys = await inside.deleteFrom('passkeys').executeTakeFirst()
    const sshKeys = await inside.deleteFrom('ssh_keys').executeTakeFirst()
    await inside
      .updateTable('people')
      .set({ password: null, invitation_hash: null, invitation_until: null, ...NO_FACTOR })
      .execute()
    const people = await inside
      .updateTable('people')
      .set({ disabled_at: now })
      .where('disabled_at', 'is', null)
      .executeTakeFirst()
    const joins = await inside
      .updateTable('join_tokens')
      .set({ revoked_at: now })
      .where('revoked_at', 'is', null)
      .where('used_at', 'is', null)
      .executeTakeFirst()
    const hooks = await inside.selectFrom('hooks').select('id').execute()
    for (const { id } of hooks) {
      // One that nobody knows: the next rotation makes one that its Git host can be given.
      const secret_sealed = sealer.seal(randomBytes(32).toString('base64url'), hookSecretPlace(id))
      const closed = { secret_sealed, previous_sealed: null, previous_until: null }
      await inside.updateTable('hooks').set(closed).where('id', '=', id).execute()
    }
    return {
      tokens: Number(tokens.numDeletedRows),
      sessions: Number(sessions.numDeletedRows),
      accounts: Number(people.numUpdatedRows),
      hosts: others.length,
      'providers of sign-ins': Number(providers.numDeletedRows),
      'sign-ins elsewhere': Number(elsewhere.numDeletedRows),
      passkeys: Number(passkeys.numDeletedRows),
      'SSH keys': Number(sshKeys.numDeletedRows),
      'join tokens': Number(joins.numUpdatedRows),
      'trusts of CI jobs': Number(trusts.numDeletedRows),
      'webhook secrets': hooks.length,
    }
  })
}
