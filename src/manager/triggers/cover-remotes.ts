import { type Kysely, type Selectable, sql } from 'kysely'
import { commandNamed } from '#commands/index.ts'
import { newId } from '#lib/id.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { remoteTell } from '#manager/pipeline/join-remotes.ts'
import { joinedIn, type RemoteCommit } from '#manager/pipeline/source.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import type { RepositoryTable, Tables } from '#manager/store/tables.ts'

type Repository = Selectable<RepositoryTable>

/**
 * Requests deployments of the repository's apps that take files of another repository, where that has moved since the
 * last attempt, and with an image those of the stacks, which may run it. A tip is asked for once: what became of it is in
 * that deployment.
 */
export async function coverRemotes(parts: PipelineParts, repository: Repository): Promise<void> {
  const asked = new Set<string>()
  for (const app of await appsWithRemotes(parts.db, repository.id)) {
    const moved = await firstMoved(parts, repository, app)
    const stacks = moved && app.by_files === 'image' ? await stacksOf(parts.db, repository.id) : []
    for (const appId of moved ? [app.id, ...stacks] : []) {
      if (!asked.has(appId) && !(await wasAskedFor(parts.db, appId, moved?.tip))) {
        const trigger = { kind: 'poll', by: moved?.name ?? '', detail: moved?.tip ?? '' } as const
        await requestDeployment(parts, { appId, kind: 'deploy', trigger })
      }
      asked.add(appId)
    }
  }
}

async function firstMoved(parts: PipelineParts, repository: Repository, app: RemoteApp) {
  for (const remote of app.remotes) {
    const tip = await movedTo(parts, repository, { ...app, remote })
    if (tip !== undefined) {
      return { tip, name: remote.name }
    }
  }
  return undefined
}

async function stacksOf(db: Kysely<Tables>, repositoryId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('apps')
    .select('id')
    .where('repository_id', '=', repositoryId)
    .where('by_files', '=', 'stack')
    .execute()
  return rows.map(({ id }) => id)
}

interface RemoteApp {
  readonly id: string
  readonly name: string
  readonly entry: string
  readonly by_files: string | null
  readonly remotes: readonly RemoteCommit[]
}

/** As their last deployment from the branch found them: after a rollback these still are what was seen last. */
async function appsWithRemotes(db: Kysely<Tables>, repositoryId: string): Promise<RemoteApp[]> {
  const rows = await db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select(['apps.id', 'apps.name', 'apps.entry', 'apps.by_files', 'deployments.remotes'])
    .where('deployments.id', 'in', eb =>
      eb
        .selectFrom('deployments as each')
        .innerJoin('apps as of', 'of.id', 'each.app_id')
        .select(({ fn }) => fn.max('each.id').as('id'))
        .where('of.repository_id', '=', repositoryId)
        .where('each.remotes', 'is not', null)
        .where('each.kind', '=', sql.lit('deploy'))
        .groupBy('each.app_id'),
    )
    .orderBy('apps.by_files')
    .execute()
  return rows.map(({ remotes, ...app }) => ({ ...app, remotes: joinedIn({ remotes })?.remotes ?? [] }))
}

async function movedTo(
  parts: PipelineParts,
  repository: Repository,
  { remote, ...app }: RemoteApp & { readonly remote: RemoteCommit },
): Promise<string | undefined> {
  const { name: _, ...params } = await remoteTell(parts, { app, repository }, remote)
  const { commit } = (await parts.agents.tell(repository.host, {
    id: newId(),
    command: 'repository.tip',
    params,
    deadlineMs: commandNamed('repository.tip').deadlineMs,
    waitMs: 0,
  })) as { readonly commit: string }
  return commit === remote.commit ? undefined : commit
}

/** By a deployment that waits or runs, whatever it is for: it takes the tip; or by the last one. */
async function wasAskedFor(db: Kysely<Tables>, appId: string, tip: string | undefined): Promise<boolean> {
  const last = await db
    .selectFrom('deployments')
    .select(['state', 'trigger'])
    .where('app_id', '=', appId)
    .where('state', '!=', 'superseded')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  const { detail } = JSON.parse(last?.trigger ?? '{}') as { readonly detail?: string }
  return detail === tip || ['queued', 'running', 'waiting'].includes(last?.state ?? '')
}
