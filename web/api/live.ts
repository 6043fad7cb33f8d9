import { onScopeDispose, shallowRef, watch } from 'vue'
import { session } from './session.ts'
import { followStream } from './sse.ts'

export interface LiveEvent {
  readonly at: string
  readonly kind: string
  readonly fields: Readonly<Record<string, string | number | boolean | null>>
}

type Listener = (event: LiveEvent | undefined) => void

const listeners = new Set<Listener>()
/** Whether what is shown follows what happens. */
export const liveState = shallowRef<'open' | 'lost'>('open')
let running: AbortController | undefined

/** Calls back for every state change while the caller is shown; with nothing after a gap, when all may have changed. */
export function onLive(listener: Listener): void {
  listeners.add(listener)
  onScopeDispose(() => listeners.delete(listener))
}

/** One stream for the whole page, as long as somebody is signed in. */
export function startLive(): void {
  watch(
    // Who has to turn a second factor on first sees nothing else yet.
    () => session.isOpen.value && !session.needsFactor.value,
    isOpen => {
      running?.abort()
      running = undefined
      if (isOpen) {
        running = new AbortController()
        void follow(running.signal)
      }
    },
    { immediate: true },
  )
}

async function follow(signal: AbortSignal): Promise<void> {
  let wasLost = false
  await followStream('/events', {
    signal,
    onEvents(events) {
      for (const { data } of events) {
        tell(JSON.parse(data) as LiveEvent)
      }
    },
    onState(state) {
      liveState.value = state
      if (state === 'open' && wasLost) {
        tell(undefined)
      }
      wasLost = state === 'lost'
    },
  }).catch(() => {
    liveState.value = 'lost'
  })
}

/** What happened, or with nothing that all may have changed. */
export function tell(event: LiveEvent | undefined): void {
  for (const listener of [...listeners]) {
    listener(event)
  }
}
