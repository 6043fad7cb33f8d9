import type { Secret } from '#lib/secret.ts'
import type { Engine, EngineAnswer } from './call.ts'
import type { Partner } from './terminal-call.ts'

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

/** The same file, as it is, to whoever waits for it. */
export interface SendArchive<T> extends OfFile<T, undefined> {
  readonly operation: 'send'
  readonly partner: Partner
  readonly timeoutMs: number
}

/** Such a file from whoever sends it: whole and on the disk when the call has ended, or not there. */
export interface TakeArchive<T> extends OfFile<T, KeptFile>, KeptFile {
  readonly operation: 'take'
  readonly partner: Partner
  readonly timeoutMs: number
}

/** A large file that streams between an engine, the disk or another host, and is never in memory as a whole. */
export type ArchiveCall<T> =
  | KeepArchive<T>
  | BringArchive<T>
  | ForgetArchive<T>
  | SendArchive<T>
  | TakeArchive<T>
