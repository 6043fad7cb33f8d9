import type { Client } from './client.ts'

/** One page of a list of the REST API. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | null
}

const PAGE = 200

/** The first `limit` entries of a list, page by page; with an infinite limit all. */
export async function readList<T>(client: Client, path: string, limit = 1_000): Promise<T[]> {
  const all: T[] = []
  let cursor = ''
  do {
    const query = `${path.includes('?') ? '&' : '?'}limit=${Math.min(PAGE, limit - all.length)}${cursor}`
    const page = await client.get<Page<T>>(`${path}${query}`)
    all.push(...page.items)
    cursor = page.next === null ? '' : `&cursor=${encodeURIComponent(page.next)}`
  } while (cursor !== '' && all.length < limit)
  return all
}
