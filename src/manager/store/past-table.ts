/** A deployment of an app that is gone, as its rows were. */
export interface PastDeploymentTable {
  id: string
  /** Name that the app had. */
  app: string
  repository_id: string | null
  commit: string | null
  state: string
  /** JSON of the rows of deployments and steps. */
  deployment: string
  steps: string
}
