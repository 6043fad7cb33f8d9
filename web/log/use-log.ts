import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import type { LogLineDocument } from '#contract/rest/deployments.ts'
import type { ApiError } from '#web/api/client.ts'
import { followStream, type StreamEvent } from '#web/api/sse.ts'
import { asApiError } from '#web/api/use-query.ts'
import { type Line, LogLines } from './lines.ts'

type Query = Readonly<Record<string, string | number | boolean>>

/** The lines of a log as they come. Opened anew when the path or the query changes. */
export function useLog(path: () => string, query: () => Query = () => ({})) {
  const lines = shallowRef(new LogLines())
  const state = ref<'open' | 'lost' | 'ended'>('open')
  const error = shallowRef<ApiError>()
  let running: AbortController | undefined

  function start(): void {
    running?.abort()
    const mine = new AbortController()
    running = mine
    const into = new LogLines()
    lines.value = into
    state.value = 'open'
    error.value = undefined
    followStream(path(), {
      signal: mine.signal,
      query: query(),
      endsWith: 'end',
      onEvents: events => into.add(events.flatMap(lineOf)),
      onState: now => {
        state.value = now
      },
    }).then(
      () => {
        state.value = 'ended'
      },
      thrown => {
        state.value = 'ended'
        error.value = asApiError(thrown)
      },
    )
  }

  watch([path, () => JSON.stringify(query())], start, { immediate: true })
  onScopeDispose(() => running?.abort())
  return { lines, state, error }
}

function lineOf({ name, data }: StreamEvent): Line[] {
  if (name !== 'message') {
    return []
  }
  const {
    text,
    at,
    stream,
    step = '',
  } = JSON.parse(data) as Omit<LogLineDocument, 'step'> & { step?: string }
  return [{ text, at, stream, step }]
}
