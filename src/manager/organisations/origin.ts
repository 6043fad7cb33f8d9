import { isIP } from 'node:net'
import type { RemoteRepository } from '#git-hosts/host-api.ts'
import { gitHostAt } from '#git-hosts/index.ts'
import { serverOf } from '#git-hosts/repository-path.ts'
import { addressesOfLocalName, isPrivateAddress } from '#lib/private-address.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import { parseRepositoryUrl, type RepositoryUrl } from '#programs/git-url.ts'
import { askHost } from './ask-host.ts'
import {
  ORGANISATION_NOT_FOUND,
  ORGANISATION_REPLACED,
  OWNER_NOT_ALLOWED,
  REPOSITORY_NOT_SEEN,
} from './errors.ts'
import { apiOf, type OrganisationRow, placeOf } from './queries.ts'

export type AskingParts = Pick<PipelineParts, 'db' | 'sealer' | 'http'>

export interface Origin {
  readonly organisation: OrganisationRow
  readonly remote: RemoteRepository
}

export interface AllowRules {
  readonly allowPrivate: readonly string[]
  /** Servers of which every repository may be registered; undefined where nobody has named any. */
  readonly gitHosts: readonly string[] | undefined
}

/**
 * Whether a repository may be registered: its organisation is on the list, or its server. Gives the organisation that it really belongs to, as its Git host says by id.
 */
export async function originOf(
  parts: AskingParts,
  address: string,
  rules: AllowRules,
): Promise<Origin | undefined> {
  const url = parseRepositoryUrl(address, rules)
  const organisations = await parts.db.selectFrom('organisations').selectAll().execute()
  const path = pathIn(url)
  const organisation = organisations
    .filter(each => isAt(each.server, url) && isWithin(path, each.owner))
    .sort((one, other) => other.owner.length - one.owner.length)[0]
  if (organisation) {
    await confirmOwner(parts, organisation)
    return { organisation, remote: await seenRepository(parts, organisation, path) }
  }
  if (!(organisations.length > 0 ? rules.gitHosts?.includes(url.host) : isServerAllowed(url, rules))) {
    throw OWNER_NOT_ALLOWED(path.slice(0, Math.max(path.lastIndexOf('/'), 0)) || path, url.host)
  }
  return undefined
}

/** Where nobody has named servers: the public ones that are known, and addresses in networks that were allowed. */
function isServerAllowed(url: RepositoryUrl, { gitHosts, allowPrivate }: AllowRules): boolean {
  if (gitHosts) {
    return gitHosts.includes(url.host)
  }
  const addresses = addressesOfLocalName(url.host) ?? [url.host]
  const isNear = addresses.some(address => isIP(address) !== 0 && isPrivateAddress(address))
  const isOurs = addresses.some(address => !isPrivateAddress(address, allowPrivate))
  return isNear ? isOurs : gitHostAt(serverOf(url.text)) !== undefined
}

/** Throws unless the name still belongs to the organisation that was allowed. */
export async function confirmOwner(parts: AskingParts, organisation: OrganisationRow): Promise<void> {
  const { owner, server, ca, remote_id } = organisation
  const api = apiOf(organisation)
  const answer = await askHost(
    { http: parts.http, server, ca },
    api.owner(placeOf(organisation, parts.sealer)),
  )
  if (answer.kind !== 'found') {
    throw ORGANISATION_NOT_FOUND(owner, server)
  }
  if (api.readOwner(answer.body).id !== remote_id) {
    throw ORGANISATION_REPLACED(owner, server)
  }
}

/** What the Git host says about the repository at a path. */
export async function seenRepository(
  parts: AskingParts,
  organisation: OrganisationRow,
  path: string,
): Promise<RemoteRepository> {
  const { server, ca } = organisation
  const api = apiOf(organisation)
  const request = api.repository(placeOf(organisation, parts.sealer), path)
  const answer = await askHost({ http: parts.http, server, ca }, request)
  const remote = answer.kind === 'found' ? api.readRepository(answer.body) : undefined
  // Under the old name a host may still answer with the repository that has another one now.
  if (remote?.path.toLowerCase() !== path.toLowerCase()) {
    throw REPOSITORY_NOT_SEEN(path, server)
  }
  return remote as RemoteRepository
}

/** Owner and name, without the ending that Git servers take off. */
export function pathIn(url: Pick<RepositoryUrl, 'path'>): string {
  return decodeURIComponent(url.path)
    .replace(/^\/+/, '')
    .replace(/\.git$/i, '')
}

/** The port of an SSH address says nothing about the server's API. */
function isAt(server: string, url: RepositoryUrl): boolean {
  const [, host = server, port = '443'] = /^(.*?)(?::(\d+))?$/.exec(server) ?? []
  return host === url.host && (url.protocol === 'ssh' || Number(port) === url.port)
}

function isWithin(path: string, owner: string): boolean {
  return path.toLowerCase().startsWith(`${owner.toLowerCase()}/`)
}
