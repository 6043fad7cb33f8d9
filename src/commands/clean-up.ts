import type { Hands } from './command.ts'

/** Hands that go on working when the command was cancelled or its time is up: for leaving nothing behind, within `ms`. */
export function handsForCleanUp(hands: Hands, ms: number): Hands {
  const signal = AbortSignal.timeout(ms)
  return { ...hands, signal, perform: hands.performUntil?.(signal) ?? hands.perform }
}
