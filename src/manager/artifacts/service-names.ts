import type { Kysely, Selectable } from 'kysely'
import { repositoryNamed } from '#manager/repositories/queries.ts'
import type { AppTable, Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { image } from '#targets/image.ts'
import type { Plan } from '#targets/target.ts'
import { SERVICE_NAME_FREE, SERVICE_NAME_TAKEN } from './errors.ts'

export interface ServiceName {
  readonly name: string
  readonly repository_id: string
  /** Name of the repository. */
  readonly repository: string
  /** null: an administrator named the repository. */
  readonly app: string | null
  readonly created_at: number
}

export interface MadeService {
  readonly app: Pick<Selectable<AppTable>, 'name' | 'repository_id'>
  /** Undefined for a plan that makes no artefact. */
  readonly service: string | undefined
}

/** The name under which a plan makes an artefact. */
export function plannedService(target: { readonly name: string }, plan: Plan): string | undefined {
  const name = target.name === image.name ? plan.release.service_name : undefined
  return typeof name === 'string' ? name : undefined
}

/** Who holds the name. Nobody, once the app that was the first is gone and nothing that was made under the name is listed any more. */
export async function ownerOfService(db: Kysely<Tables>, service: string): Promise<ServiceName | undefined> {
  const [owner] = await heldNames(db).where('service_names.name', '=', service).execute()
  return owner
}

export async function listServiceNames(db: Kysely<Tables>): Promise<ServiceName[]> {
  return await heldNames(db).orderBy('service_names.name').execute()
}

/** SERVICE_NAME_TAKEN when another repository makes artefacts of that name. True: nobody has it yet. */
export async function refuseTakenService(
  db: Kysely<Tables>,
  { app, service }: MadeService,
): Promise<boolean> {
  if (service === undefined) {
    return false
  }
  const owner = (await ownerOfService(db, service)) ?? (await appNamed(db, service))
  if (owner && owner.repository_id !== app.repository_id) {
    throw SERVICE_NAME_TAKEN(service, owner.repository)
  }
  return owner === undefined || !('created_at' in owner)
}

/** Takes the name for the app's repository. */
export async function claimService(db: Kysely<Tables>, made: MadeService, now: number): Promise<void> {
  const { app, service } = made
  const { repository_id } = app
  if (service === undefined || repository_id === null) {
    return
  }
  if (await refuseTakenService(db, made)) {
    await inTransaction(db, async transaction => {
      // Another deployment may have taken it in this moment.
      if (await refuseTakenService(transaction, made)) {
        await putName(transaction, { name: service, repository_id, app: app.name, created_at: now })
      }
    })
  }
}

/** An administrator's word: from now on this repository makes artefacts of that name, whoever did before. */
export async function grantService(
  db: Kysely<Tables>,
  { name, repository, now }: { readonly name: string; readonly repository: string; readonly now: number },
): Promise<ServiceName> {
  const { id } = await repositoryNamed(db, repository)
  const row = { name, repository_id: id, app: null, created_at: now }
  await putName(db, row)
  return { ...row, repository }
}

/** SERVICE_NAME_FREE when nobody has it. What was made under it stays. */
export async function releaseService(db: Kysely<Tables>, name: string): Promise<void> {
  const { numDeletedRows } = await db
    .deleteFrom('service_names')
    .where('name', '=', name)
    .executeTakeFirstOrThrow()
  if (numDeletedRows === 0n) {
    throw SERVICE_NAME_FREE(name)
  }
}

function heldNames(db: Kysely<Tables>) {
  return db
    .selectFrom('service_names')
    .innerJoin('repositories', 'repositories.id', 'service_names.repository_id')
    .select([
      'service_names.name',
      'service_names.repository_id',
      'repositories.name as repository',
      'service_names.app',
      'service_names.created_at',
    ])
    .where(({ or, eb, exists, selectFrom }) =>
      or([
        eb('service_names.app', 'is', null),
        exists(
          selectFrom('apps')
            .select('apps.id')
            .whereRef('apps.name', '=', 'service_names.app')
            .whereRef('apps.repository_id', '=', 'service_names.repository_id'),
        ),
        exists(
          selectFrom('artifacts')
            .select('artifacts.id')
            .whereRef('artifacts.service_name', '=', 'service_names.name'),
        ),
      ]),
    )
}

/** An app of that name makes artefacts of it, unless its files say otherwise. */
async function appNamed(db: Kysely<Tables>, service: string) {
  return await db
    .selectFrom('apps')
    .innerJoin('repositories', 'repositories.id', 'apps.repository_id')
    .select(['apps.repository_id', 'repositories.name as repository'])
    .where('apps.name', '=', service)
    .where('apps.target', '=', image.name)
    .executeTakeFirst()
}

async function putName(db: Kysely<Tables>, row: Selectable<Tables['service_names']>): Promise<void> {
  const { name: _, ...changed } = row
  await db
    .insertInto('service_names')
    .values(row)
    .onConflict(conflict => conflict.column('name').doUpdateSet(changed))
    .execute()
}
