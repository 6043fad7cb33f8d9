/** What a deployment made for others to fetch. It stays when its app is removed: the registries keep it too. */
export interface ArtifactTable {
  id: string
  /** Name of the app. */
  app: string
  /** Whose app it was; null: it is not known any more. */
  repository_id: string | null
  deployment_id: string
  service_name: string
  version: string
  /** `name:version`, on the host that made it. */
  image: string
  image_id: string | null
  /** JSON: digests by reference. */
  references: string
  /** Compressed; null: its registries did not say. */
  bytes: number | null
  commit: string
  created_at: number
}
