import type { Awake, WakeWish } from '#commands/container-sleep.ts'
import { background } from '#lib/background.ts'
import type { Clock } from '#lib/clock.ts'

/** A page asks for dozens of files at once: they need not all look whether its app still runs. */
const KNOWN_MS = 2_000
/** One that ends again and again is started no more than this within that time. */
const MOST_STARTS = 3
const TRIAL_MS = 120_000
/** Then it is left alone for so long. */
const REST_MS = 300_000

/** failing: it was started several times, and ended each time or never answered. It is left alone for a while. */
export type Answer = Awake | 'failing'

export interface WakerOptions {
  readonly clock: Clock
  readonly wake?: ((name: string, wish: WakeWish) => Promise<Awake>) | undefined
  /** What serves a name: another deployment has not failed yet. */
  readonly deploymentOf?: (name: string) => string | undefined
}

export interface Waker {
  /** Whether what serves a name answers; for a visit it may be started. Asked by many at once it looks, and wakes, once. */
  ask(name: string, isVisit: boolean): Promise<Answer>
  /** It is not to be taken for awake any longer. */
  forget(name: string): void
}

/** How the starts of one deployment went lately. */
interface Trial {
  readonly deployment: string | undefined
  /** On the monotonic clock, as `restsUntil`. */
  readonly since: number
  latest: number
  starts: number
  answered: boolean
  restsUntil?: number
}

export function createWaker({
  clock,
  wake = async () => 'awake',
  deploymentOf = () => undefined,
}: WakerOptions): Waker {
  const known = new Map<string, number>()
  const asked = new Map<string, Promise<Answer>>()
  const later = new Set<string>()
  const trials = new Map<string, Trial>()

  /** What is left of the last starts: nothing of another deployment, after a rest, or once it stayed up. */
  function trialOf(name: string): Trial | undefined {
    const trial = trials.get(name)
    const now = clock.monotonic()
    const isOver =
      trial?.deployment !== deploymentOf(name) ||
      (trial?.restsUntil ?? Number.POSITIVE_INFINITY) <= now ||
      (trial?.answered && now - trial.since > TRIAL_MS)
    if (isOver) {
      trials.delete(name)
      return undefined
    }
    return trial
  }

  function noteStart(name: string): void {
    const trial = trialOf(name)
    const now = clock.monotonic()
    if (trial && now - trial.since <= TRIAL_MS) {
      trial.starts++
      trial.latest = now
      return
    }
    // Whoever woke it may have left before it answered: that was no failure, and it may have slept for days since.
    const deployment = deploymentOf(name)
    trials.set(name, { deployment, since: now, latest: now, starts: 1, answered: false })
  }

  async function look(name: string, isVisit: boolean): Promise<Answer> {
    try {
      const before = trialOf(name)
      const mayStart = !before || (before.restsUntil === undefined && !isSpent(before))
      const awake = await wake(name, {
        isVisit: isVisit && mayStart,
        whenStarted: () => noteStart(name),
      })
      const trial = trialOf(name)
      if (awake === 'awake') {
        known.set(name, clock.monotonic() + KNOWN_MS)
        if (trial) {
          trial.answered = true
        }
        return awake
      }
      return trial && isFailing(trial, awake, mayStart) ? restOf(trial) : awake
    } finally {
      asked.delete(keyOf(name, isVisit))
    }
  }

  /** Started as often as may be, a short while ago. */
  function isSpent({ starts, latest }: Trial): boolean {
    return starts >= MOST_STARTS && clock.monotonic() - latest <= TRIAL_MS
  }

  function isFailing({ latest }: Trial, awake: Awake, mayStart: boolean): boolean {
    return awake === 'gone' ? !mayStart : clock.monotonic() - latest > TRIAL_MS
  }

  function restOf(trial: Trial): Answer {
    trial.restsUntil ??= clock.monotonic() + REST_MS
    return 'failing'
  }

  async function lookOnce(name: string, isVisit: boolean): Promise<Answer> {
    const key = keyOf(name, isVisit)
    const looking = asked.get(key) ?? look(name, isVisit)
    asked.set(key, looking)
    return await looking
  }

  /** Whoever was let through meanwhile to what had just ended waits at the proxy for its new start. */
  function lookLater(name: string, afterMs: number): void {
    if (!later.has(name)) {
      later.add(name)
      clock.after(afterMs, () => {
        later.delete(name)
        background(lookOnce(name, true), () => {})
      })
    }
  }

  return {
    async ask(name, isVisit) {
      const leftMs = (known.get(name) ?? 0) - clock.monotonic()
      if (leftMs > 0) {
        if (isVisit) {
          lookLater(name, leftMs)
        }
        return 'awake'
      }
      return await lookOnce(name, isVisit)
    },
    forget: name => void known.delete(name),
  }
}

function keyOf(name: string, isVisit: boolean): string {
  return isVisit ? `visit ${name}` : `look ${name}`
}
