/** Which repository makes artefacts of a name: the first that did, or the one that an administrator named. */
export interface ServiceNameTable {
  name: string
  repository_id: string
  /** Name of the app that was the first; null: an administrator named the repository. */
  app: string | null
  created_at: number
}
