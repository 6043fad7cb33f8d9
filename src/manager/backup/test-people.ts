import type { Store } from '#manager/store/database.ts'

export async function aPerson({ db }: Store, name: string, invitation: string | null): Promise<void> {
  const row = {
    id: name,
    name,
    email: `${name}@example.org`,
    role: 'admin',
    invitation_hash: invitation,
  } as const
  await db
    .insertInto('people')
    .values({ ...row, created_at: 1 })
    .execute()
}

/** Everything that somebody with this account gets in with. */
export async function waysIn({ db }: Store, person: string): Promise<void> {
  const factor = { password: 'hash', totp_sealed: 'secret', totp_at: 1, recovery: '["hash"]' }
  await db.updateTable('people').set(factor).where('id', '=', person).execute()
  const passkey = {
    id: 'p',
    person_id: person,
    name: 'phone',
    public_key: 'key',
    counter: 0,
    transports: '[]',
  }
  await db
    .insertInto('passkeys')
    .values({ ...passkey, created_at: 1, used_at: null })
    .execute()
  const account = { issuer: 'https://id.example.org', subject: 's', person_id: person, created_at: 1 }
  await db.insertInto('provider_accounts').values(account).execute()
  const key = { id: 'k', person, line: 'ssh-ed25519 AAAA', comment: '', fingerprint: 'f', created_at: 1 }
  await db.insertInto('ssh_keys').values(key).execute()
}
