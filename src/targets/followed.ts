/** Tags that may come to mean other images. */
export interface Followed {
  readonly everyMs: number
  readonly images: readonly {
    /** The service that runs it. */
    readonly name: string
    /** With the tag. */
    readonly reference: string
    /** `host/repository@sha256:…` that runs. */
    readonly pinned: string
  }[]
}
