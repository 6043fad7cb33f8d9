import { onScopeDispose, shallowRef } from 'vue'
import type { UsageDocument } from '#contract/rest/usage.ts'
import { ApiError } from '#web/api/client.ts'
import { followStream, type StreamEvent } from '#web/api/sse.ts'
import { asApiError } from '#web/api/use-query.ts'

const SHOWN_MS = 10 * 60_000

/** What an app uses, of the last ten minutes. Asked for only while the page is seen, as its worker measures for it. */
export function useUsage(app: string) {
  const looks = shallowRef<readonly UsageDocument[]>([])
  const error = shallowRef<ApiError>()
  let running: AbortController | undefined

  function take(events: readonly StreamEvent[]): void {
    for (const { name, data } of events) {
      if (name === 'problem') {
        const { error: told } = JSON.parse(data) as {
          error: { code: string; message: string; hint: string; status: number }
        }
        error.value = new ApiError({ ...told, detail: told.message })
      } else {
        error.value = undefined
        add(JSON.parse(data) as UsageDocument)
      }
    }
  }

  /** A stream that is opened again begins with what is known already. */
  function add(look: UsageDocument): void {
    const last = looks.value.at(-1)
    const now = Date.parse(look.at)
    if (last === undefined || now > Date.parse(last.at)) {
      looks.value = [...looks.value.filter(({ at }) => now - Date.parse(at) < SHOWN_MS), look]
    }
  }

  function follow(): void {
    running?.abort()
    running = undefined
    if (document.visibilityState === 'hidden') {
      return
    }
    running = new AbortController()
    const { signal } = running
    followStream(`/apps/${app}/usage`, { signal, onEvents: take }).catch(thrown => {
      error.value = asApiError(thrown)
    })
  }

  document.addEventListener('visibilitychange', follow)
  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', follow)
    running?.abort()
  })
  follow()
  return { looks, error }
}
