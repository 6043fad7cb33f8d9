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
 * last attempt. A tip is asked for once: what became of it is in that deployment.
 */
export async function coverRemotes(parts: PipelineParts, repository: Repository): Promise<void> {
  for (const app of await appsWithRemotes(parts.db, repository.id)) {
    for (const remote of app.remotes) {
      const detail = await movedTo(parts, repository, { ...app, remote })
      if (detail !== undefined && !(await wasAskedFor(parts.db, app.id, detail))) {
        const trigger = { kind: 'poll', by: remote.name, detail } as const
        await requestDeployment(parts, { appId: app.id, kind: 'deploy', trigger })
        break
      }
    }
  }
}

interface RemoteApp {
  readonly id: string
  readonly name: string
  readonly entry: string
}

/** As their last deployment from the branch found them: after a rollback these still are what was seen last. */
async function appsWithRemotes(db: Kysely<Tables>, repositoryId: string) {
  const rows = await db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select(['apps.id', 'apps.name', 'apps.entry', 'deployments.remotes'])
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
async function wasAskedFor(db: Kysely<Tables>, appId: string, tip: string): Promise<boolean> {
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
