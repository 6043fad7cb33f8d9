/** Ports of its host that an app binds, or is about to bind. */
export interface PublishedPortTable {
  app_id: string
  /** The one that wanted it. */
  deployment_id: string
  /** Of the host: each has ports of its own. */
  engine: string
  protocol: string
  first: number
  last: number
  /** null: all that the engine's machine has. */
  address: string | null
}
