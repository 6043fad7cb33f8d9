import type { Selectable } from 'kysely'
import type { RemoteRepository } from '#deploy-file/convention.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'
import type { SourceFacts, Tell } from '#targets/target.ts'

/** Tells the worker and gives its result: through the journal in a deployment, directly for a preview. */
export type Ask = (tell: Tell) => Promise<Readonly<Record<string, unknown>>>

export interface Source extends SourceFacts {
  readonly subject: string
  readonly author: string
  /** Its message asks that pushing it deploys nothing. */
  readonly skips?: boolean | undefined
  /** The deployment that its message says it reports on. */
  readonly deployId?: string | undefined
  /** What its message asks for, in words such as `deploy-web`. */
  readonly actions?: readonly string[] | undefined
  /** Paths that are symbolic links: nothing reads them. */
  readonly links?: readonly string[] | undefined
  /** There are more paths than were told. */
  readonly truncated?: boolean | undefined
  /** Repositories that gave files to it beside its own. */
  readonly remotes?: readonly RemoteCommit[] | undefined
}

/** Files whose text is wanted in every checkout: deploy files and what the conventions look at. */
const TEXTS = [
  'fairlead.yaml',
  'fairlead.yml',
  '.fairlead/*.yaml',
  'compose.yaml',
  'compose.yml',
  'docker-compose.yaml',
  'docker-compose.yml',
  'Dockerfile',
]

interface CheckoutOptions {
  readonly sealer: Sealer
  readonly commit?: string | undefined
  /** The commit that runs: an unchanged tip then costs one question instead of a fetch. */
  readonly known?: string | undefined
  /** Other repositories whose files are wanted beside its own (commands/repository-join.ts). */
  readonly remotes?: readonly Readonly<Record<string, unknown>>[] | undefined
}

/** A commit of another repository, of which files are in a checkout. */
export interface RemoteCommit extends RemoteRepository {
  readonly branch: string
  readonly commit: string
}

/** As deployments and releases keep it. */
export interface Joined {
  /** The commit that has the files of all of them, known to the worker only. */
  readonly checkout: string
  readonly remotes: readonly RemoteCommit[]
}

export function joinedOf({ checkout, remotes = [] }: Source): Joined | undefined {
  return checkout === undefined ? undefined : { checkout, remotes }
}

export function joinedIn({ remotes }: { readonly remotes: string | null }): Joined | undefined {
  return remotes === null ? undefined : (JSON.parse(remotes) as Joined)
}

export function checkoutTell(
  repository: Selectable<RepositoryTable>,
  { sealer, commit, known, remotes }: CheckoutOptions,
): Tell {
  return {
    key: remotes === undefined ? 'checkout' : 'joined',
    command: 'repository.checkout',
    data: {
      ...remoteOf(repository, sealer),
      ...(commit === undefined ? {} : { commit }),
      ...(known === undefined ? {} : { known }),
      ...(remotes === undefined ? {} : { remotes }),
      texts: repository.compose_path === null ? TEXTS : [...TEXTS, repository.compose_path],
    },
  }
}

/** Asks for the tags of a commit. */
export function tagsTell(repository: Selectable<RepositoryTable>, sealer: Sealer, commit: string): Tell {
  return { key: 'tags', command: 'repository.tags', data: { ...remoteOf(repository, sealer), commit } }
}

/** Brings one commit (default: the tip of the branch) into the worker's workspace and reads what decides about it. */
export async function fetchSource(
  ask: Ask,
  repository: Selectable<RepositoryTable>,
  options: CheckoutOptions,
): Promise<Source> {
  const result = (await ask(checkoutTell(repository, options))) as unknown as CheckoutResult
  return {
    commit: result.commit,
    branch: repository.branch,
    repository: repository.id,
    origin: originOf(repository.url),
    texts: result.texts,
    paths: result.paths,
    subject: result.subject,
    author: result.author,
    skips: result.skips,
    deployId: result.deploy_id,
    links: result.links,
    actions: result.actions,
    truncated: result.truncated,
    checkout: result.checkout,
    remotes: result.remotes,
  }
}

/** Without an account: it is shown to whoever pulls an image. */
function originOf(url: string): string {
  const [, host, path] = /^(?:[^@/]+@)?([^:/@]+):(?!\/\/)(.+)$/.exec(url) ?? []
  if (host !== undefined) {
    return `ssh://${host}/${path}`
  }
  const parsed = new URL(url)
  parsed.username = ''
  parsed.password = ''
  parsed.search = ''
  return parsed.href
}

/** How a worker reaches a repository: the common part of every repository command's data. */
export function remoteOf(repository: Selectable<RepositoryTable>, sealer: Sealer): Record<string, unknown> {
  const credential = repository.credential_sealed
    ? JSON.parse(sealer.open(repository.credential_sealed, `repositories/${repository.id}/credential`))
    : undefined
  return {
    repository: repository.id,
    url: repository.url,
    branch: repository.branch,
    ...(credential ? { credential } : {}),
    ...(repository.ca ? { ca: repository.ca } : {}),
  }
}

interface CheckoutResult {
  readonly commit: string
  readonly subject: string
  readonly author: string
  readonly skips?: boolean
  readonly deploy_id?: string
  readonly paths: readonly string[]
  readonly links?: readonly string[]
  readonly actions?: readonly string[]
  readonly truncated?: boolean
  readonly checkout?: string
  readonly remotes?: Source['remotes']
  readonly texts: Readonly<Record<string, string>>
}
