import { newId } from '#lib/id.ts'
import type { DeploymentsContext } from '#manager/deployments/request.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { readSshKey } from '#policy/ssh-key.ts'
import { changeSystem } from './change-system.ts'
import { SSH_KEY_INVALID, SSH_KEY_NOT_FOUND } from './errors.ts'
import { keysOf, type SshKeyRow } from './keys-of.ts'
import { namesOfSystems, type Owner } from './owners.ts'

/** Lets a key of an owner into all of their systems; a key that they have already is that one. */
export async function addKey(context: DeploymentsContext, owner: Owner, text: string): Promise<SshKeyRow> {
  const read = readSshKey(text)
  if ('problem' in read) {
    throw SSH_KEY_INVALID(read.problem)
  }
  const { line, comment, fingerprint } = read.key
  const { id: person, name: by } = owner
  return await inTransaction(context.db, async db => {
    const row = { id: newId(), person, line, comment, fingerprint, created_at: context.clock.now() }
    await db
      .insertInto('ssh_keys')
      .values(row)
      .onConflict(conflict => conflict.columns(['person', 'fingerprint']).doNothing())
      .execute()
    await letIn({ ...context, db }, { owner: person, by })
    return await db
      .selectFrom('ssh_keys')
      .selectAll()
      .where('person', '=', person)
      .where('fingerprint', '=', fingerprint)
      .executeTakeFirstOrThrow()
  })
}

interface Removal {
  readonly id: string
  /** Whose key it has to be; absent: anybody's. */
  readonly owner?: string | undefined
  readonly by: string
}

/** From now on the key opens none of its owner's systems any more. */
export async function removeKey(context: DeploymentsContext, { id, owner, by }: Removal): Promise<void> {
  await inTransaction(context.db, async db => {
    const row = await db.selectFrom('ssh_keys').selectAll().where('id', '=', id).executeTakeFirst()
    if (!row || (owner !== undefined && row.person !== owner)) {
      throw SSH_KEY_NOT_FOUND(id)
    }
    await db.deleteFrom('ssh_keys').where('id', '=', id).execute()
    await letIn({ ...context, db }, { owner: row.person, by })
  })
}

/** For ever: whoever has the account goes. */
export async function removeKeysOf(
  context: DeploymentsContext,
  whose: { readonly owner: string; readonly by: string },
): Promise<void> {
  await inTransaction(context.db, async db => {
    await db.deleteFrom('ssh_keys').where('person', '=', whose.owner).execute()
    await letIn({ ...context, db }, whose)
  })
}

/** Lets exactly the keys of an owner into their systems: none of somebody who is locked out. */
export async function letIn(
  context: DeploymentsContext,
  { owner, by }: { readonly owner: string; readonly by: string },
): Promise<void> {
  await inTransaction(context.db, async db => {
    const keys = (await keysOf(db, owner)).map(({ line }) => line)
    for (const name of await namesOfSystems(db, owner)) {
      await changeSystem({ ...context, db }, { name, by, change: settings => ({ ...settings, keys }) })
    }
  })
}
