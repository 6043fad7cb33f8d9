import type { Awake } from '#commands/container-sleep.ts'
import { background } from '#lib/background.ts'
import type { Clock } from '#lib/clock.ts'

/** A page asks for dozens of files at once: they need not all look whether its app still runs. */
const KNOWN_MS = 2_000

export interface WakerOptions {
  readonly clock: Clock
  /** `isVisit`: somebody looks at it, so it may be started. */
  readonly wake?: (name: string, isVisit: boolean) => Promise<Awake>
}

export interface Waker {
  /** Whether what serves a name answers. Asked by many at once it looks, and wakes, once. */
  ask(name: string, isVisit: boolean): Promise<Awake>
  /** It is not to be taken for awake any longer. */
  forget(name: string): void
}

export function createWaker({ clock, wake = async () => 'awake' }: WakerOptions): Waker {
  const known = new Map<string, number>()
  const asked = new Map<string, Promise<Awake>>()
  const later = new Set<string>()

  async function look(name: string, isVisit: boolean): Promise<Awake> {
    try {
      const awake = await wake(name, isVisit)
      if (awake === 'awake') {
        known.set(name, clock.monotonic() + KNOWN_MS)
      }
      return awake
    } finally {
      asked.delete(keyOf(name, isVisit))
    }
  }

  async function lookOnce(name: string, isVisit: boolean): Promise<Awake> {
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
