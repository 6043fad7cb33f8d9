import type { Kysely, Selectable } from 'kysely'
import { gitHostNamed } from '#git-hosts/index.ts'
import { serverOf } from '#git-hosts/repository-path.ts'
import type { ReportTable } from '#manager/store/outbox-tables.ts'
import type { Tables } from '#manager/store/tables.ts'

export type ReportRow = Selectable<ReportTable>

/** What decides which token is sent where. */
export interface TokenFacts extends Pick<ReportRow, 'git_host' | 'api' | 'token_sealed'> {
  /** Of the repository. */
  readonly url: string
  readonly credential_sealed: string | null
}

export async function reportOf(db: Kysely<Tables>, repositoryId: string): Promise<ReportRow | undefined> {
  return await db
    .selectFrom('reports')
    .selectAll()
    .where('repository_id', '=', repositoryId)
    .executeTakeFirst()
}

/** A report with what its repository lends it. */
export async function reportWithRepository(
  db: Kysely<Tables>,
  repositoryId: string,
): Promise<(ReportRow & TokenFacts & { readonly name: string; readonly ca: string | null }) | undefined> {
  return await db
    .selectFrom('reports')
    .innerJoin('repositories', 'repositories.id', 'reports.repository_id')
    .selectAll('reports')
    .select(['repositories.name', 'url', 'credential_sealed', 'ca'])
    .where('repository_id', '=', repositoryId)
    .executeTakeFirst()
}

/** Ids of the repositories whose Git host can be told something. */
export async function repositoriesWithReports(db: Kysely<Tables>): Promise<string[]> {
  const rows = await db
    .selectFrom('reports')
    .innerJoin('repositories', 'repositories.id', 'reports.repository_id')
    .select(['repository_id', 'git_host', 'api', 'token_sealed', 'url', 'credential_sealed'])
    .where('is_on', '=', 1)
    .execute()
  return rows.filter(row => tokenKind(row) !== null).map(row => row.repository_id)
}

/**
 * Whose token is used: its own one, else the password of the repository's credential. That was given for one server, so
 * it goes to the API of that server alone, wherever the address of the repository or the API leads since.
 */
export function tokenKind(facts: TokenFacts): 'own' | 'credential' | null {
  if (facts.token_sealed !== null) {
    return 'own'
  }
  const server = serverOf(facts.url)
  const { apiAt, onlyServer = server } = gitHostNamed(facts.git_host)?.reporting ?? {}
  const lends = facts.credential_sealed !== null && facts.url.startsWith('https:') && server === onlyServer
  return lends && facts.api === apiAt?.(server) ? 'credential' : null
}
