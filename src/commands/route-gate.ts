import type { Gate, Hands } from './command.ts'
import { NO_GATE } from './route-errors.ts'

/** Throws NO_GATE where nobody can be told from anybody. */
export function gateOf(hands: Hands): Gate {
  if (!hands.host.gate) {
    throw NO_GATE(hands.host.name)
  }
  return hands.host.gate
}
