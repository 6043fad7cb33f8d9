/** Ports that apps want to be reachable on their hosts: those of what runs, and of the deployment at work. */
export interface OpeningTable {
  app_id: string
  /** The one that wanted it. */
  deployment_id: string
  protocol: 'tcp' | 'udp'
  first: number
  last: number
  /** JSON: addresses and networks; empty: everybody. */
  sources: string
}
