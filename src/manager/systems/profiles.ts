import type { Kysely } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { SystemSettings } from '#targets/system-settings.ts'
import { PROFILE_NOT_FOUND } from './errors.ts'

type Db = Kysely<Tables>
export type Profile = NonNullable<SystemSettings['profile']>

/** What systems get that nobody has named a profile for. */
export const DEFAULT_PROFILE = 'default'
/** Of every profile: nobody could log in without. */
const ALWAYS = ['openssh-server']

/** By name; the default one is always there. */
export async function listProfiles(db: Db): Promise<Profile[]> {
  const rows = await db.selectFrom('system_profiles').selectAll().orderBy('name').execute()
  const kept = rows.map(({ name, packages }) => ({ name, packages: JSON.parse(packages) as string[] }))
  return kept.some(({ name }) => name === DEFAULT_PROFILE)
    ? kept
    : [{ name: DEFAULT_PROFILE, packages: ALWAYS }, ...kept]
}

/** PROFILE_NOT_FOUND with the names of those that there are. */
export async function readProfile(db: Db, name = DEFAULT_PROFILE): Promise<Profile> {
  const all = await listProfiles(db)
  const found = all.find(each => each.name === name)
  if (!found) {
    throw PROFILE_NOT_FOUND(
      name,
      all.map(each => each.name),
    )
  }
  return found
}

/** Holds for systems that are made from now on. */
export async function setProfile(
  { db, clock }: { readonly db: Db; readonly clock: Clock },
  { name, packages }: Profile,
): Promise<Profile> {
  const all = [...new Set([...ALWAYS, ...packages])]
  const values = { packages: JSON.stringify(all), updated_at: clock.now() }
  await db
    .insertInto('system_profiles')
    .values({ name, ...values })
    .onConflict(conflict => conflict.column('name').doUpdateSet(values))
    .execute()
  return { name, packages: all }
}

/** Systems that were made with it keep what they have. PROFILE_NOT_FOUND. */
export async function removeProfile(db: Db, name: string): Promise<void> {
  await readProfile(db, name)
  await db.deleteFrom('system_profiles').where('name', '=', name).execute()
}
