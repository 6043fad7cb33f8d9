import { computed, shallowRef, watch } from 'vue'
import { get, type Page } from './client.ts'
import type { LiveEvent } from './live.ts'
import { type Read, rowsOf, withFirst, withNext } from './pages.ts'
import { asApiError, useQuery } from './use-query.ts'

/** Rows of a page, and the most that the manager gives in one answer. */
const PAGE = 50
const MOST = 200

type Words = Readonly<Record<string, string | number | undefined>>

/** A list of the API page by page. What is read anew is its beginning; further pages are added when they are asked for. */
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
  // What is shown is read anew as far as one question goes.
  const rowsToRead = () => (items.value.length > PAGE ? Math.min(items.value.length, MOST) : undefined)
  const first = useQuery(signal => get<Page<T>>(path, { ...words(), limit: rowsToRead() }, signal), {
    when: () => JSON.stringify(words()),
    ...(options.on ? { on: options.on } : {}),
  })
  watch(
    first.data,
    page => {
      read.value = page && withFirst(read.value, page, key)
    },
    { flush: 'sync' },
  )

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
    const page = await get<Page<T>>(path, { ...words(), cursor, limit: MOST })
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
