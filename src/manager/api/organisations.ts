import { Type } from 'typebox'
import { Name, strict } from '#contract/rest/fields.ts'
import {
  NewOrganisation,
  OrganisationChange,
  OrganisationCheckDocument,
  OrganisationDocument,
  OrganisationList,
} from '#contract/rest/organisations.ts'
import { createOrganisation } from '#manager/organisations/create-organisation.ts'
import { deleteOrganisation } from '#manager/organisations/delete-organisation.ts'
import { keepOrganisation } from '#manager/organisations/keeper.ts'
import {
  listOrganisations,
  type OrganisationRecord,
  organisationNamed,
} from '#manager/organisations/queries.ts'
import { updateOrganisation } from '#manager/organisations/update-organisation.ts'
import { timeText } from './documents.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'
import { wantedVersion, withVersion } from './version.ts'

const OrganisationPath = Type.Object({ organisation: Name }, strict)
const tags = ['organisations']

/** Organisations: owners at Git hosts whose repositories may be deployed. */
export function organisationRoutes(api: Api, parts: ApiParts): void {
  const { db } = parts

  api.get(
    '/organisations',
    { schema: { summary: 'List organisations', tags, response: { 200: OrganisationList } } },
    async () => ({ items: (await listOrganisations(db)).map(shown) }),
  )

  api.post(
    '/organisations',
    {
      schema: {
        summary: 'Allow the repositories of an organisation',
        description:
          'As soon as there is one, only repositories of listed organisations (and of servers in FAIRLEAD_GIT_HOSTS) can be registered.',
        tags,
        body: NewOrganisation,
        response: { 201: OrganisationDocument },
      },
    },
    async ({ body }, reply) => {
      const organisation = await createOrganisation(parts, body)
      withVersion(reply, organisation.version)
      return reply
        .code(201)
        .header('location', `/api/v1/organisations/${organisation.name}`)
        .send(shown(organisation))
    },
  )

  api.get(
    '/organisations/:organisation',
    {
      schema: {
        summary: 'Read an organisation',
        tags,
        params: OrganisationPath,
        response: { 200: OrganisationDocument },
      },
    },
    async ({ params }, reply) => {
      const organisation = await organisationNamed(db, params.organisation)
      withVersion(reply, organisation.version)
      return shown(organisation)
    },
  )

  api.patch(
    '/organisations/:organisation',
    {
      schema: {
        summary: 'Change an organisation',
        tags,
        params: OrganisationPath,
        body: OrganisationChange,
        response: { 200: OrganisationDocument },
      },
    },
    async (request, reply) => {
      const { params, body } = request
      const wanted = { name: params.organisation, change: body, version: wantedVersion(request) }
      const organisation = await updateOrganisation(parts, wanted)
      withVersion(reply, organisation.version)
      return shown(organisation)
    },
  )

  api.delete(
    '/organisations/:organisation',
    {
      schema: {
        summary: 'Take an organisation off the list',
        description: 'Nothing of it is deployed any more; what runs goes on.',
        tags,
        params: OrganisationPath,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await deleteOrganisation(parts, {
        name: request.params.organisation,
        version: wantedVersion(request),
      })
      return reply.code(204).send(null)
    },
  )

  api.post(
    '/organisations/:organisation/check',
    {
      schema: {
        summary: 'List its repositories now, and register those that want it',
        tags,
        params: OrganisationPath,
        response: { 200: OrganisationCheckDocument },
      },
    },
    async ({ params }) => {
      const organisation = await organisationNamed(db, params.organisation)
      const found = await keepOrganisation(parts, { ...organisation, etag: null })
      return { repositories: found.map(each => ({ ...each, repository: each.repository ?? null })) }
    },
  )
}

/** Never the token. */
function shown(organisation: OrganisationRecord): OrganisationDocument {
  return {
    id: organisation.id,
    name: organisation.name,
    git_host: organisation.git_host as OrganisationDocument['git_host'],
    server: organisation.server,
    owner: organisation.owner,
    remote_id: organisation.remote_id,
    token: organisation.credential_sealed !== null,
    ca: organisation.ca,
    host: organisation.host,
    discovery: organisation.discovery === 1,
    marker: organisation.marker,
    repositories: organisation.repositories,
    listed_at: organisation.listed_at === null ? null : timeText(organisation.listed_at),
    next_listing_at: timeText(organisation.due_at),
    problem: organisation.problem === null ? null : JSON.parse(organisation.problem),
    version: organisation.version,
    created_at: timeText(organisation.created_at),
    updated_at: timeText(organisation.updated_at),
  }
}
