import type { ServerHealth } from './look-at-repository.ts'

/** Looks at once at one Git server: half of all, enough for 1,000 repositories a minute on one that takes its time. */
const PER_SERVER = 8
/** A look that took longer counts as trouble although it worked. */
const SLOW_MS = 5000

interface Turn {
  running: number
  troubled: boolean
  /** Monotonic ms until which it wants to be left alone. */
  restUntil: number
}

/**
 * Whose turn it is: no Git server gets more than a few looks at once, one in trouble gets a single one, and one that
 * asked to be left alone none. So a slow server never keeps the others waiting.
 */
export class ServerTurns {
  readonly #turns = new Map<string, Turn>()

  isFree(server: string, now: number): boolean {
    const turn = this.#turns.get(server)
    return !turn || (turn.restUntil <= now && turn.running < (turn.troubled ? 1 : PER_SERVER))
  }

  /** Gives what ends the turn. */
  begin(server: string, begunAt: number): (health: ServerHealth | undefined, now: number) => void {
    const turn = this.#turns.get(server) ?? { running: 0, troubled: false, restUntil: 0 }
    turn.running += 1
    this.#turns.set(server, turn)
    return (health, now) => {
      turn.running -= 1
      if (typeof health === 'object') {
        turn.restUntil = Math.max(turn.restUntil, now + health.ms)
      } else if (health !== undefined) {
        turn.troubled = health === 'troubled' || now - begunAt > SLOW_MS
      }
      if (turn.running === 0 && !turn.troubled && turn.restUntil <= now) {
        this.#turns.delete(server)
      }
    }
  }
}
