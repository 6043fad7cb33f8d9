import type { PackedFile } from './call.ts'

/** A layer of an image that is made while it is sent, so that it needs neither memory nor disk. */
export interface PackedLayer {
  readonly files: readonly PackedFile[]
  /** Absolute path of the folder that they lie in; it and all in it belong to the owner. */
  readonly destination: string
  /** Number of the user and the group. */
  readonly owner: number
  readonly modifiedMs: number
}

export interface SentLayer {
  /** Of what was sent. */
  readonly digest: string
  /** Of the same, uncompressed. */
  readonly diffId: string
  readonly bytes: number
}
