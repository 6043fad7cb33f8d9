/** Something that changed, for the event stream: small, without secrets; details are read through the API. */
export interface ManagerEvent {
  readonly id: number
  readonly at: number
  readonly kind: 'deployment' | 'step' | 'app' | 'repository' | 'organisation' | 'host'
  readonly fields: Readonly<Record<string, string | number | boolean | null>>
}

export interface Events {
  publish(kind: ManagerEvent['kind'], fields: ManagerEvent['fields']): void
  /** Calls back for each event after `after` that is still kept, then for each new one. */
  subscribe(after: number | undefined, listener: (event: ManagerEvent) => void): { close(): void }
}

const KEPT = 1000

/** Events since this start, the last 1,000 kept for clients that reconnect. State is in the database, not here. */
export function createEvents(now: () => number, first = now()): Events {
  const kept: ManagerEvent[] = []
  const listeners = new Set<(event: ManagerEvent) => void>()
  // Starts at the clock, so that ids of an earlier process are always older. Several managers have a common one.
  let last = first
  return {
    publish(kind, fields) {
      last += 1
      const event = { id: last, at: now(), kind, fields }
      kept.push(event)
      if (kept.length > KEPT) {
        kept.shift()
      }
      for (const listener of listeners) {
        listener(event)
      }
    },
    subscribe(after, listener) {
      for (const event of kept) {
        if (after !== undefined && event.id > after) {
          listener(event)
        }
      }
      listeners.add(listener)
      return { close: () => listeners.delete(listener) }
    },
  }
}
