import { computed, shallowRef, watch } from 'vue'
import { get, type Page } from './client.ts'
import { MOST_ROWS } from './get-all.ts'
import type { LiveEvent } from './live.ts'
import { type Read, rowsOf, withFirst, withNext } from './pages.ts'
import { asApiError, useQuery } from './use-query.ts'

/** Rows that the manager gives unasked. */
const PAGE = 50

type Words = Readonly<Record<string, string | number | undefined>>

/** A list of the API page by page. Further pages are added when they are asked for; what is shown is read anew. */
export function useList<T>(
  path: string,
  options: {
    readonly key: (item: T) => string
    readonly query?: () => Words
    readonly on?: (event: LiveEvent) => boolean
  },
) {
  const { key } = options
  const read = shallowRef<Read<T>>()
  const isAdding = shallowRef(false)
  const words = () => options.query?.() ?? {}
  const items = computed(() => (read.value ? rowsOf(read.value, key) : []))
  const first = useQuery(readShown, {
    when: () => JSON.stringify(words()),
    requests: () => Math.max(1, Math.ceil(items.value.length / MOST_ROWS)),
    ...(options.on ? { on: options.on } : {}),
  })
  watch(
    first.data,
    page => {
      read.value = page && withFirst(read.value, page, key)
    },
    { flush: 'sync' },
  )

  /** As many rows as are there already: the one that changed may be any of them. */
  async function readShown(signal: AbortSignal): Promise<Page<T>> {
    const shown = items.value.length
    const limit = shown > PAGE ? Math.min(shown, MOST_ROWS) : undefined
    let page = await get<Page<T>>(path, { ...words(), limit }, signal)
    const rows = [...page.items]
    while (rows.length < shown && page.next !== null) {
      page = await get<Page<T>>(path, { ...words(), cursor: page.next, limit: MOST_ROWS }, signal)
      rows.push(...page.items)
    }
    return { items: rows, next: page.next }
  }

  async function addPage(): Promise<void> {
    if (isAdding.value) {
      return
    }
    isAdding.value = true
    try {
      await readNext()
    } catch (thrown) {
      first.error.value = asApiError(thrown)
    } finally {
      isAdding.value = false
    }
  }

  async function readNext(): Promise<void> {
    const asked = JSON.stringify(words())
    const cursor = read.value?.next
    if (typeof cursor !== 'string') {
      return
    }
    const page = await get<Page<T>>(path, { ...words(), cursor, limit: MOST_ROWS })
    if (read.value === undefined || JSON.stringify(words()) !== asked) {
      // Another list is shown by now.
      return
    }
    if (read.value.next === cursor) {
      read.value = withNext(read.value, page)
    } else {
      // The first page ends elsewhere by now: what follows it is another page.
      await readNext()
    }
  }

  return {
    items,
    error: first.error,
    isLoading: first.isLoading,
    hasMore: computed(() => typeof read.value?.next === 'string'),
    isAdding,
    addPage,
    reload: first.reload,
  }
}
