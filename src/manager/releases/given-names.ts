import type { Kysely } from 'kysely'
import { imagePublish } from '#commands/image.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { Plan } from '#targets/target.ts'

/** As many as a worker takes in one question. */
const MOST = 5_000
/** So many rows in one statement: each takes parameters, and the database has a limit. */
const AT_ONCE = 500

export interface NamedPlace {
  readonly host: string
  /** Absent: every one of the host. */
  readonly engine?: string
  /** Name of the app; absent: every one. */
  readonly app?: string
}

/** Writes down which names of people's kind (`orders:1.0.0`) a plan gives to an image, before it gives them. */
export async function noteGivenNames(
  db: Kysely<Tables>,
  place: Required<NamedPlace>,
  { push, named = [] }: Pick<Plan, 'push' | 'named'>,
): Promise<void> {
  const told = [...push, ...named].filter(({ command }) => command === imagePublish.name)
  const names = told.flatMap(({ data }) => {
    const { name, references } = data as { name: string; references: readonly { reference: string }[] }
    return [name, ...references.map(({ reference }) => reference)]
  })
  if (names.length > 0) {
    await db
      .insertInto('given_names')
      .values([...new Set(names)].map(name => ({ ...place, name })))
      .onConflict(conflict => conflict.doNothing())
      .execute()
  }
}

/** Names that deployments gave and no listed artefact has: whoever prunes may take them, unless somebody else needs the image. */
export async function freeNames(
  db: Kysely<Tables>,
  { host, engine, app }: NamedPlace,
): Promise<readonly string[]> {
  let query = db
    .selectFrom('given_names')
    .select('name')
    .distinct()
    .where('host', '=', host)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('image_pins')
            .select('pin')
            .whereRef('pin', '=', 'given_names.name')
            .where('artifact_id', 'is not', null),
        ),
      ),
    )
    .limit(MOST)
  if (engine !== undefined) {
    query = query.where('engine', '=', engine)
  }
  if (app !== undefined) {
    query = query.where('app', '=', app)
  }
  return (await query.execute()).map(({ name }) => name)
}

/** Nothing has these names any more. */
export async function forgetNames(
  db: Kysely<Tables>,
  { host, engine }: Pick<Required<NamedPlace>, 'host' | 'engine'>,
  names: readonly string[],
): Promise<void> {
  for (let from = 0; from < names.length; from += AT_ONCE) {
    await db
      .deleteFrom('given_names')
      .where('host', '=', host)
      .where('engine', '=', engine)
      .where('name', 'in', names.slice(from, from + AT_ONCE))
      .execute()
  }
}
