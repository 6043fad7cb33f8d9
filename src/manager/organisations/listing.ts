import { nextPage, type RemoteRepository } from '#git-hosts/host-api.ts'
import type { HttpRequest } from '#lib/http-request.ts'
import { askHost } from './ask-host.ts'
import { HOST_API_FAILED, ORGANISATION_NOT_FOUND } from './errors.ts'
import { type AskingParts, confirmOwner } from './origin.ts'
import { apiOf, type OrganisationRow, placeOf } from './queries.ts'

/** What says that a repository wants to be deployed: a topic of this name, or this file at the tip of its default branch. */
export const MARKER = { topic: 'fairlead', file: 'fairlead.yaml' } as const

export interface Listing {
  readonly repositories: readonly RemoteRepository[]
  /** Of the only page, when there is only one. */
  readonly etag: string | undefined
}

/** 100,000 repositories; whoever sends more sends nonsense. */
const MOST_PAGES = 1000

/** All repositories of the organisation, or `unchanged` since the listing whose ETag is kept. All pages or an error. */
export async function listRemote(
  parts: AskingParts,
  organisation: OrganisationRow,
): Promise<Listing | 'unchanged'> {
  await confirmOwner(parts, organisation)
  const { server, ca, etag } = organisation
  const api = apiOf(organisation)
  const place = placeOf(organisation, parts.sealer)
  const repositories: RemoteRepository[] = []
  for (let page: number | undefined = 1; page !== undefined; ) {
    const request = api.repositories(place, page)
    const conditional = page === 1 && etag !== null ? withEtag(request, etag) : request
    const answer = await askHost({ http: parts.http, server, ca }, conditional)
    if (answer.kind === 'unchanged') {
      return 'unchanged'
    }
    if (answer.kind === 'missing') {
      throw ORGANISATION_NOT_FOUND(organisation.owner, server)
    }
    repositories.push(...api.readRepositories(answer.body))
    const next = nextPage(answer.headers.link)
    if (next === undefined) {
      return { repositories, etag: page === 1 ? answer.headers.etag : undefined }
    }
    if (next !== page + 1 || next > MOST_PAGES) {
      throw HOST_API_FAILED(server, 'its pages are in no order')
    }
    page = next
  }
  throw HOST_API_FAILED(server, 'it has no pages')
}

/** Whether the repository itself asks to be deployed. */
export async function isMarked(
  parts: AskingParts,
  organisation: OrganisationRow,
  remote: RemoteRepository,
): Promise<boolean> {
  if (organisation.marker === 'topic') {
    return remote.topics.includes(MARKER.topic)
  }
  const { server, ca } = organisation
  const request = apiOf(organisation).file(placeOf(organisation, parts.sealer), remote, MARKER.file)
  return (await askHost({ http: parts.http, server, ca }, request)).kind === 'found'
}

function withEtag(request: HttpRequest, etag: string): HttpRequest {
  return { ...request, headers: { ...request.headers, 'if-none-match': etag } }
}
