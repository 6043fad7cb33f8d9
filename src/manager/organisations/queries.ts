import type { Kysely, Selectable } from 'kysely'
import type { HostApi, OwnerPlace } from '#git-hosts/host-api.ts'
import { hostApiNamed } from '#git-hosts/index.ts'
import { INTERNAL } from '#lib/errors.ts'
import { Secret } from '#lib/secret.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { OrganisationTable } from '#manager/store/organisation-table.ts'
import type { Tables } from '#manager/store/tables.ts'
import { ORGANISATION_UNKNOWN } from './errors.ts'

export type OrganisationRow = Selectable<OrganisationTable>

/** An organisation's row with how many repositories of it are registered. */
export interface OrganisationRecord extends OrganisationRow {
  readonly repositories: number
}

export async function organisationNamed(db: Kysely<Tables>, name: string): Promise<OrganisationRecord> {
  const row = await select(db).where('organisations.name', '=', name).executeTakeFirst()
  if (!row) {
    throw ORGANISATION_UNKNOWN(name)
  }
  return counted(row)
}

export async function listOrganisations(db: Kysely<Tables>): Promise<OrganisationRecord[]> {
  return (await select(db).orderBy('organisations.name').execute()).map(counted)
}

function select(db: Kysely<Tables>) {
  return db
    .selectFrom('organisations')
    .selectAll('organisations')
    .select(eb =>
      eb
        .selectFrom('repositories')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .whereRef('repositories.organisation_id', '=', 'organisations.id')
        .as('repositories'),
    )
}

function counted(row: OrganisationRow & { repositories: number | null }): OrganisationRecord {
  return { ...row, repositories: row.repositories ?? 0 }
}

export function apiOf({ git_host }: Pick<OrganisationRow, 'git_host'>): HostApi {
  const api = hostApiNamed(git_host)
  if (!api) {
    throw INTERNAL(`there is no API of the Git host ${git_host}`)
  }
  return api
}

/** Where its API is asked, and with what. */
export function placeOf(organisation: OrganisationRow, sealer: Sealer): OwnerPlace {
  const token = tokenOf(organisation, sealer)
  return {
    server: organisation.server,
    owner: organisation.owner,
    token: token === undefined ? undefined : new Secret(token),
  }
}

/** The credential with which Git reads its repositories over HTTPS. */
export function credentialOf(organisation: OrganisationRow, sealer: Sealer) {
  const password = tokenOf(organisation, sealer)
  return password === undefined
    ? undefined
    : ({ kind: 'https', username: apiOf(organisation).gitUsername, password } as const)
}

export function tokenPlace(id: string): string {
  return `organisations/${id}/credential`
}

function tokenOf({ id, credential_sealed }: OrganisationRow, sealer: Sealer): string | undefined {
  return credential_sealed === null ? undefined : sealer.open(credential_sealed, tokenPlace(id))
}
