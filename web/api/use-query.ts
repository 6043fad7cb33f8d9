import { onScopeDispose, type Ref, shallowRef, watch } from 'vue'
import { ApiError } from './client.ts'
import { type LiveEvent, onLive } from './live.ts'

export interface Query<T> {
  readonly data: Ref<T | undefined>
  readonly error: Ref<ApiError | undefined>
  /** Only the first time: what is shown stays while it is read again. */
  readonly isLoading: Ref<boolean>
  reload(): Promise<void>
}

interface QueryOptions {
  /** Read again when this changes. */
  readonly when?: () => unknown
  /** Read again after such an event, and after a time without any. */
  readonly on?: (event: LiveEvent) => boolean
  /** How many requests one read takes: it is made that much more seldom. */
  readonly requests?: () => number
}

const TOGETHER_MS = 250

/** Something of the API, read now, read again when it changes, the last answer kept meanwhile. */
export function useQuery<T>(load: (signal: AbortSignal) => Promise<T>, options: QueryOptions = {}): Query<T> {
  const data = shallowRef<T>()
  const error = shallowRef<ApiError>()
  const isLoading = shallowRef(true)
  let current: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  /** Something happened since the read that is under way began. */
  let isStale = false

  async function reload(): Promise<void> {
    current?.abort()
    const mine = new AbortController()
    current = mine
    isStale = false
    try {
      const answer = await load(mine.signal)
      if (current === mine) {
        data.value = answer
        error.value = undefined
      }
    } catch (thrown) {
      if (current === mine && !mine.signal.aborted) {
        error.value = asApiError(thrown)
      }
    } finally {
      if (current === mine) {
        current = undefined
        isLoading.value = false
        if (isStale) {
          soon()
        }
      }
    }
  }

  function soon(): void {
    // A deployment tells of many steps at once.
    const after = TOGETHER_MS * (options.requests?.() ?? 1)
    timer ??= setTimeout(() => {
      timer = undefined
      if (current) {
        // Cut off by each event, a read would not end as long as much happens.
        isStale = true
      } else {
        void reload()
      }
    }, after)
  }

  if (options.when) {
    watch(options.when, () => {
      data.value = undefined
      isLoading.value = true
      void reload()
    })
  }
  const { on } = options
  onLive(event => {
    // The manager answers again: what it could not be asked is asked now.
    const isMissing = event === undefined && error.value?.status === 0
    if (event === undefined && (isMissing || on)) {
      // What was asked over the line that was lost may never be answered.
      void reload()
    } else if (event && on?.(event)) {
      soon()
    }
  })
  onScopeDispose(() => {
    const last = current
    current = undefined
    last?.abort()
    clearTimeout(timer)
  })
  void reload()
  return { data, error, isLoading, reload }
}

export function asApiError(thrown: unknown): ApiError {
  return thrown instanceof ApiError
    ? thrown
    : new ApiError({
        code: 'UNEXPECTED',
        status: 0,
        detail: thrown instanceof Error ? thrown.message : String(thrown),
        hint: 'Load the page again; if it stays, tell whoever runs this Fairlead.',
      })
}
