/** Apps that the message of a commit took down: they stay so while their files say the same. */
export interface MessageRemovalTable {
  repository_id: string
  /** Name of the app in the repository. */
  entry: string
  /** sha256 of what its files said. */
  fingerprint: string
  created_at: number
}
