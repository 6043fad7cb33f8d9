export interface WantedArtifact {
  readonly serviceName?: string | undefined
  readonly version?: string | undefined
}

/** What a release made for others to fetch. */
export interface Artifact {
  readonly serviceName: string
  readonly version: string
  /** `name:version`, on the host that made it. */
  readonly image: string
  readonly imageId: string | undefined
  /** Digests by reference. */
  readonly references: Readonly<Record<string, string>>
  /** Compressed, as it is fetched. */
  readonly bytes: number | undefined
}
