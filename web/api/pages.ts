import type { Page } from './client.ts'

/** What of a list has been read so far: its first page, rows after it, and where the next page begins. */
export interface Read<T> {
  readonly first: Page<T>
  readonly more: readonly T[]
  /** Null after the last page. */
  readonly next: string | null
}

/** The first page, read (again). Rows that new ones pushed out of it stay, and so do those of the pages after it. */
export function withFirst<T>(
  before: Read<T> | undefined,
  first: Page<T>,
  keyOf: (item: T) => string,
): Read<T> {
  const start: Read<T> = { first, more: [], next: first.next }
  if (before === undefined || before.more.length === 0) {
    return start
  }
  const rows = rowsOf(before, keyOf)
  const present = new Set(first.items.map(keyOf))
  const last = rows.findLastIndex(item => present.has(keyOf(item)))
  // Rows before the last one of both that are missing are gone; those after it have moved on.
  const more = rows.slice(last + 1)
  // With none of both there are more new rows than a page holds, and others between it and what was read.
  return last === -1 || more.length === 0 ? start : { first, more, next: before.next }
}

/** The page after everything that was read. */
export function withNext<T>(before: Read<T>, page: Page<T>): Read<T> {
  return { ...before, more: [...before.more, ...page.items], next: page.next }
}

/** Every row once, and of one that is in two pages what the first page says: it was read last. */
export function rowsOf<T>({ first, more }: Read<T>, keyOf: (item: T) => string): T[] {
  const present = new Set(first.items.map(keyOf))
  return [...first.items, ...more.filter(item => !present.has(keyOf(item)))]
}
