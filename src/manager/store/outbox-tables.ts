import type { Generated } from 'kysely'

/** What is told to the outside, and where; conventions as in tables.ts. */

/** Written with the change that it tells of, sent when that is on the disk. */
export interface OutboxTable {
  seq: Generated<number>
  /** Stays the same however often it is sent. */
  id: string
  /** `report:<repository id>`, `channel:<channel id>`, `links:<repository id>` or `packages:<app id>`. */
  place: string
  /** Of equal place and subject the older one is sent first. */
  subject: string
  /** JSON: what is told. */
  payload: string
  attempts: Generated<number>
  next_at: number
  created_at: number
  /** null while it is to be sent. */
  ended_at: number | null
  result: 'sent' | 'replaced' | 'refused' | 'given-up' | 'unwanted' | null
  /** What the other side calls it. */
  remote: string | null
}

/** How the Git host of a repository is told about its commits. */
export interface ReportTable {
  repository_id: string
  is_on: number
  git_host: string
  api: string
  username: string | null
  /** null: the password of the repository's credential. */
  token_sealed: string | null
  /** 1: the host's own deployments are kept as well. */
  deployments: number
  /** 1: may name private addresses and the words of errors. */
  details: number
  /** JSON of the error of the last report, null when it arrived. */
  problem: string | null
}

/** Where people are told. */
export interface ChannelTable {
  id: string
  name: string
  kind: 'webhook' | 'slack' | 'email'
  is_on: number
  /** JSON of address and secrets, encrypted. */
  target_sealed: string
  /** JSON list of what it wants to hear of. */
  events: string
  /** JSON list of names; null: all. */
  apps: string | null
  problem: string | null
  last_sent_at: number | null
  version: number
  created_at: number
  updated_at: number
}
