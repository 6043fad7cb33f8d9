import type { Generated } from 'kysely'

export interface SystemTables {
  systems: SystemTable
  system_backups: SystemBackupTable
  system_ports: SystemPortTable
  system_profiles: SystemProfileTable
  system_quotas: SystemQuotaTable
  member_changes: MemberChangeTable
  ssh_keys: SshKeyTable
}

/** Conventions as in tables.ts. What is wanted of a system container is in the overrides of its app. */
export interface SystemTable {
  app_id: string
  /** Id of the person whose it is, or of the token of a machine. */
  owner: string
  created_at: number
  /** JSON of {cron, keep}; null: no backups by themselves. */
  backup_schedule: Generated<string | null>
  /** When the schedule began, or last asked for one. */
  backup_at: Generated<number | null>
}

/** Ports of hosts that system containers have, whether they run or not. */
export interface SystemPortTable {
  app_id: string
  host: string
  protocol: 'tcp' | 'udp'
  port: number
}

/** The most that all systems of a person, or on a host, may have together; null: any number. */
export interface SystemQuotaTable {
  kind: 'person' | 'host'
  /** A host, or the id of an owner; `*`: whoever has none of their own. */
  name: string
  systems: number | null
  cpus: number | null
  memory_bytes: number | null
  disk_bytes: number | null
  ports: number | null
}

/** What systems get at their first start. */
export interface SystemProfileTable {
  name: string
  /** JSON: names of Debian packages. */
  packages: string
  updated_at: number
}

/** A member of a cluster that is to be emptied, or to get back what it had. */
export interface MemberChangeTable {
  id: string
  /** Whose worker talks to the cluster. */
  host: string
  member: string
  action: 'evacuate' | 'restore'
  state: 'under-way' | 'done' | 'failed' | 'cancelled'
  /** Id of the command that was told; null: none is. */
  command: Generated<string | null>
  attempts: number
  reason: Generated<string | null>
  asked_by: string
  created_at: number
  ended_at: Generated<number | null>
  /** Who wants it to end; null: nobody does. */
  cancelled_by: Generated<string | null>
  /** JSON of the line of the audit log that asked for it; null: an earlier release did. */
  audit: Generated<string | null>
}

export interface SshKeyTable {
  id: string
  /** As the owner of a system. */
  person: string
  /** Type and key, without options and comment. */
  line: string
  comment: string
  fingerprint: string
  created_at: number
}

export interface SystemBackupTable {
  id: string
  /** The system may be gone. */
  app_id: string
  system: string
  owner: string
  host: string
  /** JSON: image and limits of that day. */
  settings: string
  state: 'making' | 'kept' | 'failed' | 'going'
  is_scheduled: number
  /** Id of the command that was told; null: none is under way. */
  command: Generated<string | null>
  attempts: number
  reason: Generated<string | null>
  bytes: Generated<number | null>
  sha256: Generated<string | null>
  recipient: string
  identity_sealed: string
  asked_by: string
  /** Id of the one that it is a copy of, of another host. */
  copy_of: Generated<string | null>
  created_at: number
  ended_at: Generated<number | null>
}
