/** Which repository may push to a path of the managed registry: the one that did so first. */
export interface RegistryPathTable {
  /** Without the registry and the tag. */
  path: string
  repository_id: string
  /** Name of the app that was the first. */
  app: string
  created_at: number
}
