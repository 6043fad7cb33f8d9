import { type Static, Type } from 'typebox'

/** What served a name before, and is there still for those who came then. */
export const EarlierTarget = Type.Object({
  ip: Type.String({ format: 'ipv4' }),
  deployment: Type.String(),
  /** When another began to serve. */
  since: Type.Number(),
  /** held: its deployment is at work. kept: people work with it. ending: nobody is led to it any more. */
  state: Type.Enum(['held', 'kept', 'ending']),
})
export type EarlierTarget = Static<typeof EarlierTarget>

interface Target {
  readonly ip: string
  readonly deployment: string
  readonly since: number
  readonly at?: unknown
}

interface Entry {
  readonly target?: Target
  readonly earlier?: readonly EarlierTarget[]
  readonly slots?: readonly [string, string]
}

interface Mark {
  readonly deployment: string
  /** undefined: it is gone. */
  readonly state: EarlierTarget['state'] | undefined
  /** Takes an address that no name has. */
  readonly free: () => string
}

/**
 * What is there of before once the name leads to the target. What serves again, and what had the address that serves now,
 * is nothing of before; on another engine nothing can be told apart.
 */
export function earlierWith(
  { target: before, earlier = [] }: Entry,
  target: Target,
  holds: boolean,
): EarlierTarget[] {
  const isOther = (each: Pick<Target, 'ip' | 'deployment'>) =>
    each.deployment !== target.deployment && each.ip !== target.ip
  const still = earlier.filter(isOther)
  return holds && before && !before.at && !target.at && isOther(before)
    ? [...still, { ip: before.ip, deployment: before.deployment, since: target.since, state: 'held' }]
    : still
}

/** With one of before marked: whose people work on leaves its place among the two addresses to the next one. */
export function markEarlier(
  { earlier = [], slots }: Entry,
  { deployment, state, free }: Mark,
): { earlier: EarlierTarget[]; slots?: [string, string] } {
  const marked = earlier.find(each => each.deployment === deployment)
  const after = earlier.flatMap(each => (each !== marked ? [each] : state ? [{ ...each, state }] : []))
  if (state !== 'kept' || !marked || !slots?.includes(marked.ip)) {
    return { earlier: after }
  }
  const [one, other] = slots
  return { earlier: after, slots: marked.ip === one ? [free(), other] : [one, free()] }
}
