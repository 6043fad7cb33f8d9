import type { Selectable } from 'kysely'
import type { RemoteRepository } from '#deploy-file/convention.ts'
import { originOf } from '#manager/organisations/origin.ts'
import { presentSecrets } from '#manager/secrets/queries.ts'
import type { AppTable, RepositoryTable } from '#manager/store/tables.ts'
import { parseRepositoryUrl } from '#programs/git-url.ts'
import { type DescribedApps, describedApps } from './described-apps.ts'
import { REMOTE_HOST_KEYS_MISSING, REMOTE_SECRET_MISSING } from './errors.ts'
import { type Ask, fetchSource } from './source.ts'
import type { PipelineParts } from './step.ts'

export interface AppOfRepository {
  readonly app: Pick<Selectable<AppTable>, 'id' | 'name' | 'entry'>
  readonly repository: Selectable<RepositoryTable>
}

type RemoteParts = Pick<PipelineParts, 'db' | 'sealer' | 'http' | 'allow'>

/**
 * What a checkout describes, with the files of the other repositories that one of its apps takes: each app's deployment
 * fetches its own, with its own secrets, and sees the others' only as far as the names of the own files tell.
 */
export async function joinedApps(
  parts: RemoteParts,
  ask: Ask,
  of: AppOfRepository,
  own: DescribedApps,
): Promise<DescribedApps> {
  const { app, repository } = of
  const wanted = own.apps.find(({ name }) => name === app.entry)?.files?.remotes ?? []
  if (wanted.length === 0) {
    return own
  }
  const remotes = await Promise.all(wanted.map(async each => await remoteTell(parts, of, each)))
  const { source } = own
  const joined = await fetchSource(ask, repository, {
    sealer: parts.sealer,
    commit: source.commit,
    remotes,
  })
  const found = joined.remotes ?? []
  const described = wanted.flatMap(({ name, url, credential, knownHosts }) => {
    const { branch = '', commit = '' } = found.find(each => each.name === name) ?? {}
    return [
      { name, url, branch, commit, ...(credential && { credential }), ...(knownHosts && { knownHosts }) },
    ]
  })
  return await describedApps(ask, { ...joined, remotes: described }, repository)
}

/** How a worker reaches it: only where repositories may come from, and with nothing but the app's own secrets. */
export async function remoteTell(
  parts: RemoteParts,
  { app, repository }: AppOfRepository,
  { name, url: address, branch, credential, knownHosts }: RemoteRepository,
): Promise<Readonly<Record<string, unknown>>> {
  const url = parseRepositoryUrl(address, parts.allow)
  await originOf(parts, address, parts.allow)
  const own = parseRepositoryUrl(repository.url, { allowPrivate: EVERYWHERE })
  const isSameServer = own.host === url.host && own.protocol === url.protocol
  const secret =
    credential === undefined ? undefined : (await presentSecrets(parts, app.id)).values[credential]
  if (credential !== undefined && secret === undefined) {
    throw REMOTE_SECRET_MISSING(app.name, credential, name)
  }
  const hostKeys = knownHosts ?? (isSameServer ? knownHostsOf(parts, repository) : undefined)
  if (url.protocol === 'ssh' && hostKeys === undefined) {
    throw REMOTE_HOST_KEYS_MISSING(name, url.host)
  }
  return {
    name,
    url: url.text,
    ...(branch === undefined ? {} : { branch }),
    ...(secret === undefined
      ? {}
      : {
          credential:
            url.protocol === 'ssh'
              ? { kind: 'ssh', privateKey: secret, knownHosts: hostKeys }
              : { kind: 'https', ...accountIn(secret) },
        }),
    ...(isSameServer && own.port === url.port && repository.ca ? { ca: repository.ca } : {}),
  }
}

/** The address was checked when it was stored. */
const EVERYWHERE = ['0.0.0.0/0', '::/0']

/** `user:token`, or a token alone: servers that take one care for no name. */
function accountIn(secret: string): { readonly username: string; readonly password: string } {
  const [, username = 'git', password = secret] =
    /^([A-Za-z0-9._@+-]{1,128}):(.+)$/s.exec(secret.trim()) ?? []
  return { username, password: password.trim() }
}

function knownHostsOf(
  { sealer }: RemoteParts,
  { id, credential_sealed: sealed }: Selectable<RepositoryTable>,
): string | undefined {
  const credential = sealed
    ? (JSON.parse(sealer.open(sealed, `repositories/${id}/credential`)) as { knownHosts?: string })
    : undefined
  return credential?.knownHosts
}
