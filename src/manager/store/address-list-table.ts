/** Named lists of addresses that the firewall knows; conventions as in tables.ts. */
export interface AddressListTable {
  name: string
  /** JSON: where it is from (manager/firewall/list-source.ts). */
  source: string
  /** JSON: the networks when it was last read, never none. */
  networks: string
  created_at: number
  /** When it was read last. */
  fetched_at: number
  /** When somebody last tried to. */
  asked_at: number
  /** Why that did not work; null: it did. */
  problem: string | null
}
