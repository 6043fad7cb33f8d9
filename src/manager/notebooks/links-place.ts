import type { Kysely, Selectable } from 'kysely'
import type { NotebookLink } from '#commands/notebook-link-data.ts'
import { notebookLinks } from '#commands/notebook-links.ts'
import type { Clock } from '#lib/clock.ts'
import { toWire } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import type { Agents } from '#manager/agents/agents.ts'
import type { Attempt, Place } from '#manager/outbox/places.ts'
import { remoteOf } from '#manager/pipeline/source.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { NotebookTable } from '#manager/store/notebook-tables.ts'
import type { Tables } from '#manager/store/tables.ts'
import { notePushed } from '#manager/triggers/lineage.ts'
import { LINKS_NOT_WRITTEN } from './errors.ts'

export interface LinksParts {
  readonly db: Kysely<Tables>
  readonly clock: Pick<Clock, 'now'>
  readonly agents: Pick<Agents, 'tell'>
  readonly sealer: Sealer
  /** Where people reach this manager. */
  readonly publicUrl: string
}

/** How the links were written, as the worker says. */
export interface LinksWritten {
  readonly outcome: 'pushed' | 'unchanged' | 'disabled'
  readonly branch: string
  readonly commit: string
  readonly parent: string | null
  readonly skips: boolean
  readonly files: number
  readonly warnings: readonly string[]
}

const WAIT_MS = 20_000
const MOST_LINKS = 500

/** The repository of notebooks is told where they are to be found: all of them, as they are when it is told. */
export function notebookLinksPlace(parts: LinksParts, repositoryId: string): Place {
  return {
    async deliver({ id }): Promise<Attempt> {
      const { db, sealer, agents } = parts
      const repository = await db
        .selectFrom('repositories')
        .selectAll()
        .where('id', '=', repositoryId)
        .executeTakeFirst()
      const rows = await db
        .selectFrom('notebooks')
        .selectAll()
        .where('repository_id', '=', repositoryId)
        // A new project is one commit, not two: it is told of when its first deployment has ended.
        .where('status', '!=', 'building')
        .orderBy('folder')
        .execute()
      if (!repository || rows.length === 0) {
        return { kind: 'unwanted' }
      }
      // What is gone has time until the next writing, when there is more than can be said at once.
      const told = rows
        .toSorted((a, b) => Number(a.status === 'removed') - Number(b.status === 'removed'))
        .slice(0, MOST_LINKS)
      const { name: command, deadlineMs } = notebookLinks
      const links = told.map(row => linkOf(row, parts.publicUrl))
      const written = (await agents.tell(repository.host, {
        // Another command each time: what it does is decided by what it finds.
        ...{ id: newId(), command, deadlineMs, waitMs: WAIT_MS },
        params: { ...remoteOf(repository, sealer), links, write: id },
      })) as LinksWritten
      await noteWritten(parts, { id, repositoryId, branch: repository.branch }, written)
      await forgetTold(parts.db, told)
      return { kind: 'sent' }
    },
    noteSent: db =>
      db
        .updateTable('notebook_links')
        .set({ problem: null })
        .where('repository_id', '=', repositoryId)
        .execute(),
    async noteProblem({ db }, { reason = '', error }) {
      const problem = error ?? LINKS_NOT_WRITTEN(reason)
      const text = JSON.stringify(toWire(problem))
      const before = await db
        .selectFrom('notebook_links')
        .select('problem')
        .where('repository_id', '=', repositoryId)
        .executeTakeFirst()
      await put(db, { repository_id: repositoryId, problem: text })
      return before?.problem === text ? undefined : problem
    },
  }
}

async function noteWritten(
  { db, clock }: LinksParts,
  {
    id,
    repositoryId,
    branch,
  }: { readonly id: string; readonly repositoryId: string; readonly branch: string },
  written: LinksWritten,
): Promise<void> {
  // A branch of links alone is deployed by nobody.
  if (written.outcome === 'pushed' && written.parent !== null && written.branch === branch) {
    await notePushed(db, {
      repository_id: repositoryId,
      commit: written.commit,
      parent: written.parent,
      skips: written.skips ? 1 : 0,
      deployment_id: id,
      created_at: clock.now(),
    })
  }
  await put(db, { repository_id: repositoryId, written: JSON.stringify(written) })
}

/** What is gone and was told to be. Not what went while the others were written: that is told next. */
async function forgetTold(db: Kysely<Tables>, told: readonly Selectable<NotebookTable>[]): Promise<void> {
  for (const { app, updated_at: at } of told.filter(({ status }) => status === 'removed')) {
    await db
      .deleteFrom('notebooks')
      .where('app', '=', app)
      .where('status', '=', 'removed')
      .where('updated_at', '=', at)
      .execute()
  }
}

async function put(
  db: Kysely<Tables>,
  row: { readonly repository_id: string; readonly written?: string; readonly problem?: string },
): Promise<void> {
  await db
    .insertInto('notebook_links')
    .values(row)
    .onConflict(conflict => conflict.column('repository_id').doUpdateSet(row))
    .execute()
}

/** What URL.md says of a project. Pure: the same row is the same link. */
export function linkOf(row: Selectable<NotebookTable>, publicUrl: string): NotebookLink {
  // An address that only works beside the manager helps nobody who reads the repository.
  const own = !/^https?:\/\/(?:127\.|localhost|\[::1\])/.test(publicUrl)
  const preview =
    own && row.entry !== null && row.status !== 'removed' ? `${publicUrl}/preview/${row.app}/` : null
  // What is opened of a project without a server is its page.
  const isPage = row.status === 'preview'
  return {
    slug: row.app,
    folder: row.folder,
    title: row.title,
    status: row.status === 'preview' ? (preview === null ? 'stopped' : 'live') : row.status,
    url: isPage ? preview : row.url,
    mode: row.mode,
    commit: row.commit,
    tree: row.tree,
    image: row.image,
    badge: own ? `${publicUrl}/badge/${row.app}.svg` : null,
    preview,
    error: row.error,
    // Of what cannot even be read no deployment has a log.
    ...(own && row.error !== null && row.shown === null
      ? { log: `${publicUrl}/preview/${row.app}/log` }
      : {}),
    // Nobody asked for a file in a folder that is only guessed to be a project.
    ...(row.shown === 'guessed' ? { onlyInPlace: true } : {}),
  }
}
