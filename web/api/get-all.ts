import { get, type Page } from './client.ts'

/** The most that the manager gives in one answer. */
export const MOST_ROWS = 200

/** All of a list. For what people make by hand; of what may be tens of thousands, ask for what is looked for. */
export async function getAll<T>(path: string, signal?: AbortSignal): Promise<T[]> {
  const items: T[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page: Page<T> = await get<Page<T>>(path, { limit: MOST_ROWS, cursor }, signal)
    items.push(...page.items)
    cursor = page.next
  }
  return items
}
