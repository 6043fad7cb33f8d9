import type { Generated } from 'kysely'

/** Conventions as in tables.ts. */
export interface HostTable {
  name: string
  role: 'worker' | 'guardian'
  /** host:port that the manager dials. */
  address: string
  /** Public identity (link/identity.ts) as JSON: what is pinned. */
  identity: string
  /** The next key of its agent (a pin as JSON), while it may connect with either; null: none is under way. */
  successor: Generated<string | null>
  /** Id of the manager's key that its agent has learnt; null: the one that it was enrolled with. */
  manager_key: Generated<string | null>
  created_at: number
  /** When its worker last told what runs. */
  observed_at: number | null
  /** Name of the guardian that keeps the firewall of a worker's host; null: nobody does. */
  guardian: Generated<string | null>
  /** JSON: what its worker told of its engines (SeenEngine); null: it has only its own. */
  engines: string | null
  /** JSON of the error that it did not since, with its time; null when the last look worked. */
  unseen: string | null
  /** JSON of the error why its system containers were not seen at the last look; null: they were. */
  systems_unseen: Generated<string | null>
  /** JSON: what its worker told of the Incus cluster that it talks to (SeenCluster); null: of none. */
  cluster: Generated<string | null>
  /** When it enrolled itself with a join token; null: a person gave its identity. */
  joined_at: Generated<number | null>
  /** When it was first reached; null: never. */
  connected_at: Generated<number | null>
  /** When its key was refused from then on, although apps still name it; null: it is not. */
  revoked_at: Generated<number | null>
  /** Days before the end of its certificate at which people were told last; null: its end is far. */
  warned_days: Generated<number | null>
}
