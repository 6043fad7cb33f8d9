import type { Duplex } from 'node:stream'
import type { Engine } from './call.ts'

/**
 * Whoever talks with a command while it runs: what they send can be read, what is written goes to them, and it closes when
 * they are gone. `size` events carry the new size of their window.
 */
export type Partner = Duplex

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** A terminal that an engine has opened for a program: its two WebSockets, joined with whoever sits before it. */
export interface TerminalCall<T> {
  readonly kind: 'terminal'
  readonly engine: Extract<Engine, { kind: 'incus' }>
  /** Paths with their queries, which nobody else may learn. */
  readonly sockets: { readonly data: string; readonly control: string }
  readonly partner: Partner
  /** Who has gone: the program has ended, or the partner. */
  readonly read: (gone: 'program' | 'partner') => T
}
