import type { StatsFs } from 'node:fs'

/** What a file system has left for whoever is not root. */
export interface DiskSpace {
  readonly freeBytes: number
  /** What is used and what is free for everybody; what is kept for root counts as neither, as in "df". */
  readonly bytes: number
  readonly freeInodes: number
  /** 0: this file system has no certain number of them. */
  readonly inodes: number
}

export function diskSpace({ bsize, blocks, bfree, bavail, files, ffree }: StatsFs): DiskSpace {
  return {
    freeBytes: bavail * bsize,
    bytes: (blocks - bfree + bavail) * bsize,
    freeInodes: ffree,
    inodes: files,
  }
}
