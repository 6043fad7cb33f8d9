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
}

const TOGETHER_MS = 250

/** Something of the API, read now, read again when it changes, the last answer kept meanwhile. */
export function useQuery<T>(load: (signal: AbortSignal) => Promise<T>, options: QueryOptions = {}): Query<T> {
  const data = shallowRef<T>()
  const error = shallowRef<ApiError>()
  const isLoading = shallowRef(true)
  let current: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  async function reload(): Promise<void> {
    current?.abort()
    const mine = new AbortController()
    current = mine
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
        isLoading.value = false
      }
    }
  }

  function soon(): void {
    // A deployment tells of many steps at once.
    timer ??= setTimeout(() => {
      timer = undefined
      void reload()
    }, TOGETHER_MS)
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
    if (isMissing || (on && (event === undefined || on(event)))) {
      soon()
    }
  })
  onScopeDispose(() => {
    current?.abort()
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
