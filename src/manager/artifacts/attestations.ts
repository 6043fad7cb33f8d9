import { gunzipSync } from 'node:zlib'
import type { Kysely, Selectable } from 'kysely'
import type { AttestResult } from '#commands/image-attest.ts'
import type { AttestationTable } from '#manager/store/attestation-table.ts'
import type { Tables } from '#manager/store/tables.ts'
import { ATTESTATION_NOT_FOUND } from './errors.ts'

export type AttestationKind = AttestationTable['kind']
export type AttestationRow = Omit<Selectable<AttestationTable>, 'packed'>

/** Keeps what a worker said of the images of a deployment; again the same is no change. */
export async function noteAttestations(
  { db }: { readonly db: Kysely<Tables> },
  deployment: string,
  { documents, attached }: AttestResult,
): Promise<void> {
  const rows = documents.map(({ kind, mediaType, digest, bytes, packed = null }, index) => ({
    ...{ deployment_id: deployment, kind, media_type: mediaType, digest, bytes, packed },
    manifests: JSON.stringify(
      Object.fromEntries(
        attached.flatMap(each => (each.manifests[index] ? [[each.reference, each.manifests[index]]] : [])),
      ),
    ),
  }))
  for (const row of rows) {
    await db
      .insertInto('attestations')
      .values(row)
      .onConflict(conflict => conflict.columns(['deployment_id', 'kind']).doUpdateSet(row))
      .execute()
  }
}

export async function attestationsOf(
  db: Kysely<Tables>,
  deployments: readonly string[],
): Promise<readonly AttestationRow[]> {
  return deployments.length === 0
    ? []
    : await db
        .selectFrom('attestations')
        .select(['deployment_id', 'kind', 'media_type', 'digest', 'bytes', 'manifests'])
        .where('deployment_id', 'in', deployments)
        .orderBy('kind', 'desc')
        .execute()
}

/** The text itself, or ATTESTATION_NOT_FOUND. */
export async function readAttestation(
  db: Kysely<Tables>,
  artifact: { readonly id: string; readonly deployment_id: string },
  kind: AttestationKind,
): Promise<{ readonly mediaType: string; readonly text: string }> {
  const row = await db
    .selectFrom('attestations')
    .select(['media_type', 'packed'])
    .where('deployment_id', '=', artifact.deployment_id)
    .where('kind', '=', kind)
    .executeTakeFirst()
  if (!row?.packed) {
    throw ATTESTATION_NOT_FOUND(artifact.id, kind)
  }
  return { mediaType: row.media_type, text: gunzipSync(Buffer.from(row.packed, 'base64')).toString('utf8') }
}
