import type { DiskSpace } from '#lib/disk-space.ts'

/**
 * A file operation below the worker's workspace; paths are absolute, symbolic links are never followed out of it.
 * What looks, and what writes where the host's own policy allows it, may be in another folder, which is named with `within`.
 */
export type FileCall<T> = {
  readonly kind: 'file'
  readonly read: (result: FileResult) => T
} & (
  | { readonly operation: 'read'; readonly path: string; readonly maxBytes: number; readonly within?: string }
  | {
      readonly operation: 'write'
      readonly path: string
      readonly content: string
      readonly mode?: number
      readonly within?: string
    }
  | {
      readonly operation: 'make-folder'
      readonly path: string
      readonly mode?: number
      readonly within?: string
    }
  | { readonly operation: 'rename'; readonly path: string; readonly to: string }
  /** A file or a folder with all in it; only regular files and folders are copied, with mode 0755 or 0644. */
  | { readonly operation: 'copy'; readonly path: string; readonly to: string }
  | { readonly operation: 'remove'; readonly path: string }
  | { readonly operation: 'list'; readonly path: string; readonly within?: string }
  | { readonly operation: 'stat'; readonly path: string; readonly within?: string }
)

/** `missing` for a path that is not there; `text` of a read; `names` of a list. */
export interface FileResult {
  readonly missing: boolean
  readonly kind?: 'file' | 'folder' | 'link' | 'other'
  readonly text?: string
  readonly names?: readonly string[]
  readonly bytes?: number
  readonly modifiedMs?: number
  /** Of the file system that it is on. */
  readonly disk?: DiskSpace
}

/** One name resolution by the host's resolver (DNS and /etc/hosts). A failed one is a result, not an error. */
export interface LookupCall<T> {
  readonly kind: 'lookup'
  readonly host: string
  readonly timeoutMs: number
  readonly read: (found: LookupResult) => T
}

/** `failure` when there are no addresses: the name does not exist, or nobody could say so. */
export interface LookupResult {
  readonly addresses: readonly string[]
  readonly failure?: 'not-found' | 'unavailable'
}
