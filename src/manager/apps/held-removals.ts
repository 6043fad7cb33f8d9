import type { Kysely, Selectable } from 'kysely'
import type { HeldRemovalTable } from '#manager/store/held-removal-table.ts'
import type { AppTable, RepositoryTable, Tables } from '#manager/store/tables.ts'

export type HoldReason = HeldRemovalTable['why']

/** An app that files made, with what is known of its removal. */
export type AppByFiles = Pick<Selectable<AppTable>, 'id' | 'name' | 'entry' | 'by_files' | 'approval'> & {
  readonly why: HoldReason | null
  readonly allowed_by: string | null
}

export interface Holding {
  /** Are wanted again, or gone. */
  readonly back: readonly AppByFiles[]
  /** Are to wait from now on. */
  readonly news: readonly { readonly app: AppByFiles; readonly why: HoldReason }[]
  /** The other place of the repository describes some of its apps. */
  readonly isSettled: boolean
  /** How many apps of files it has, without those that may go. */
  readonly total: number
}

/** From this many on it is looked whether a push would remove most of a repository. */
const FEW = 3

/**
 * Which removals wait for a person: all, when one push wants away more than half of a repository's apps, three at least,
 * or all of them since it is read from another place; those of apps whose deployments need an approval, always. What
 * waits goes on to wait until its files are back or a person agrees, whatever is pushed.
 */
export function holdingOf(
  { moved }: Pick<Selectable<RepositoryTable>, 'moved'>,
  apps: readonly AppByFiles[],
  isUnwanted: (app: AppByFiles) => boolean,
): Holding {
  const unwanted = apps.filter(isUnwanted)
  const open = unwanted.filter(app => app.allowed_by === null)
  const total = apps.length - unwanted.length + open.length
  const isAll = moved === 1 && unwanted.length === apps.length && open.length > 0
  const isMany = open.length >= FEW && open.length * 2 > total
  const forAll = isAll ? 'moved' : isMany ? 'many' : undefined
  return {
    back: apps.filter(app => app.why !== null && !unwanted.includes(app)),
    news: open
      .filter(app => app.why === null)
      .flatMap(app => {
        const why = forAll ?? (app.approval === 1 ? 'approval' : undefined)
        return why === undefined ? [] : [{ app, why }]
      }),
    isSettled: moved === 1 && unwanted.length < apps.length,
    total,
  }
}

/** The apps of a repository that its files made. */
export async function appsByFiles(db: Kysely<Tables>, repositoryId: string): Promise<AppByFiles[]> {
  return await db
    .selectFrom('apps')
    .leftJoin('held_removals', 'held_removals.app_id', 'apps.id')
    .select(['apps.id', 'apps.name', 'apps.entry', 'apps.by_files', 'apps.approval', 'why', 'allowed_by'])
    .where('apps.repository_id', '=', repositoryId)
    .where('apps.by_files', 'is not', null)
    .orderBy('apps.name')
    .execute()
}

/** Removals of a repository's apps that wait for a person, or that one has agreed to. */
export async function heldRemovals(db: Kysely<Tables>, repositoryId: string) {
  return await db
    .selectFrom('held_removals')
    .innerJoin('apps', 'apps.id', 'held_removals.app_id')
    .select(['apps.id', 'apps.name', 'why', 'tip', 'held_removals.created_at', 'allowed_by', 'allowed_at'])
    .where('apps.repository_id', '=', repositoryId)
    .orderBy('apps.name')
    .execute()
}
