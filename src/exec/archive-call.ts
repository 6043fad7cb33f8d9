import type { Secret } from '#lib/secret.ts'
import type { Engine, EngineAnswer } from './call.ts'

/** What a file is known by. */
export interface KeptFile {
  readonly bytes: number
  readonly sha256: string
}

interface OfFile<T, R> {
  readonly kind: 'archive'
  /** Absolute path. */
  readonly file: string
  readonly read: (result: R) => T
}

interface OfEngine {
  readonly engine: Extract<Engine, { kind: 'incus' }>
  readonly path: string
  readonly timeoutMs: number
}

/** What an engine gives, encrypted with age, as a file: whole and on the disk when the call has ended, or not there. */
export interface KeepArchive<T> extends OfFile<T, KeptFile>, OfEngine {
  readonly operation: 'keep'
  /** Public keys (age1…): whoever has one of the others opens it. */
  readonly recipients: readonly string[]
  readonly maxBytes: number
}

/** The same file, decrypted, as the body of a request. */
export interface BringArchive<T> extends OfFile<T, EngineAnswer>, OfEngine {
  readonly operation: 'bring'
  readonly headers: Readonly<Record<string, string>>
  readonly identity: Secret
  readonly sha256: string
}

export interface ForgetArchive<T> extends OfFile<T, undefined> {
  readonly operation: 'forget'
}

/** A large file that streams between an engine and the disk, and is never in memory as a whole. */
export type ArchiveCall<T> = KeepArchive<T> | BringArchive<T> | ForgetArchive<T>
