/** The manager that leads, where several share a database; at most one row. */
export interface LeaderTable {
  id: 'leader'
  epoch: number
  name: string
  /** host:port where other managers reach it. */
  address: string
  /** Process of the database server that serves its connection, which holds the lock. */
  session: number
  /** PEM. Both ends of the way between managers show it. */
  certificate: string
  /** Its key, sealed. */
  key_sealed: string
  /** ms by the clock of the database server, as all times here. */
  taken_at: number
  renewed_at: number
}

/** Files of the leader's data folder that the next leader needs. */
export interface SharedFileTable {
  /** Below the data folder. */
  name: string
  content_sealed: string
}
