import { computed, shallowRef } from 'vue'
import { get, type Page } from './client.ts'
import type { LiveEvent } from './live.ts'
import { asApiError, useQuery } from './use-query.ts'

type Words = Readonly<Record<string, string | number | undefined>>

/** A list of the API page by page. What is read anew is its first page; further ones are added when they are asked for. */
export function useList<T>(
  path: string,
  options: {
    readonly key: (item: T) => string
    readonly query?: () => Words
    readonly on?: (event: LiveEvent) => boolean
  },
) {
  const more = shallowRef<T[]>([])
  const next = shallowRef<string | null>()
  const isAdding = shallowRef(false)
  const words = () => options.query?.() ?? {}
  const first = useQuery(signal => get<Page<T>>(path, words(), signal), {
    when: () => {
      const text = JSON.stringify(words())
      more.value = []
      next.value = undefined
      return text
    },
    ...(options.on ? { on: options.on } : {}),
  })
  const cursor = computed(() => (next.value === undefined ? (first.data.value?.next ?? null) : next.value))
  const items = computed(() => {
    const head = first.data.value?.items ?? []
    const seen = new Set(head.map(options.key))
    return [...head, ...more.value.filter(item => !seen.has(options.key(item)))]
  })

  async function addPage(): Promise<void> {
    if (cursor.value === null || isAdding.value) {
      return
    }
    isAdding.value = true
    const asked = JSON.stringify(words())
    try {
      const page = await get<Page<T>>(path, { ...words(), cursor: cursor.value })
      if (JSON.stringify(words()) !== asked) {
        // Another list is shown by now.
        return
      }
      more.value = [...more.value, ...page.items]
      next.value = page.next
    } catch (thrown) {
      first.error.value = asApiError(thrown)
    } finally {
      isAdding.value = false
    }
  }

  return {
    items,
    error: first.error,
    isLoading: first.isLoading,
    hasMore: computed(() => cursor.value !== null),
    isAdding,
    addPage,
    reload: first.reload,
  }
}
