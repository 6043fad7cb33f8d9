export const PAGE_SIZE = 50

/** A page of at most `limit` items from up to one more than that, and the cursor of the page after it. */
export function pageOf<T>(
  found: readonly T[],
  limit: number,
  cursorOf: (item: T) => string,
): { items: T[]; next: string | null } {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return { items, next: last !== undefined && found.length > limit ? cursorOf(last) : null }
}
