/** What is said of an artefact, as it lies beside the image in its registries. */
export interface AttestationTable {
  deployment_id: string
  kind: 'sbom' | 'provenance'
  media_type: string
  /** Of the text. */
  digest: string
  bytes: number
  /** The text, gzip in base64; null: it is too large to be kept here too. */
  packed: string | null
  /** JSON: digests of the manifests in the registries, by reference. */
  manifests: string
}
