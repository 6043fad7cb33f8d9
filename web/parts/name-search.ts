/** Longer than any part of a name that is only hyphens. */
const NONE = '-'.repeat(40)

/**
 * What of typed words can be a part of the name of an app: `My Shop!` looks for `my-shop`. Words of which nothing can find
 * none, and not all.
 */
export function nameSearch(words: string): string | undefined {
  if (words.trim() === '') {
    return undefined
  }
  const part = words
    .trim()
    .toLowerCase()
    .replace(/\s+/g, '-')
    .replace(/[^a-z0-9-]/g, '')
    .slice(0, 40)
  return part === '' ? NONE : part
}
