/** An owner at a Git host whose repositories may be deployed; conventions as in tables.ts. */
export interface OrganisationTable {
  id: string
  name: string
  /** Name of the git host file whose API it has. */
  git_host: string
  /** host or host:port */
  server: string
  /** Login or path at the host, as it was written there last. */
  owner: string
  /** Id at the host: stays the same when it is renamed, and is another one when the name is taken by somebody else. */
  remote_id: string
  /** The token for the API and for reading its repositories; null: only what is public. */
  credential_sealed: string | null
  ca: string | null
  /** Name of the worker that reads the repositories found. */
  host: string
  /** 1: repositories that carry the marker are registered by themselves. */
  discovery: number
  marker: 'topic' | 'file'
  /** Of the last listing, when that was complete and a single page. */
  etag: string | null
  listed_at: number | null
  /** When it is listed next. */
  due_at: number
  failures: number
  /** JSON of the error of the last listing, null when it worked. */
  problem: string | null
  version: number
  created_at: number
  updated_at: number
}
