/** In which order things happened in this process; the clock of the machine may be set back. */
let turn = 0
const asked = new WeakMap<object, Map<string, number>>()

export function nextTurn(): number {
  turn += 1
  return turn
}

/** Notes that something wants the app deployed, before that is stored. */
export function noteAsked(owner: object, app: string): void {
  const turns = asked.get(owner) ?? new Map<string, number>()
  asked.set(owner, turns.set(app, nextTurn()))
}

/** Undefined: not while this process has run. */
export function lastAsked(owner: object, app: string): number | undefined {
  return asked.get(owner)?.get(app)
}
