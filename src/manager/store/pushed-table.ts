/** Commits that Fairlead itself pushed; conventions as in tables.ts. */
export interface PushedCommitTable {
  repository_id: string
  commit: string
  /** What it was made on: it wants the same of every app. */
  parent: string
  /** 1: the message of that one asks for no deployment. */
  skips: number
  deployment_id: string
  created_at: number
}
