/** What a release or an artefact names: exactly one of them. Written with it and gone with it. */
export interface ImagePinTable {
  /** Reference, digest or id of an image. */
  pin: string
  release_id: string | null
  artifact_id: string | null
}
