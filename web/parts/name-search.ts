/** What of typed words can be a part of the name of an app: `My Shop!` looks for `my-shop`. */
export function nameSearch(words: string): string | undefined {
  const part = words
    .trim()
    .toLowerCase()
    .replace(/\s+/g, '-')
    .replace(/[^a-z0-9-]/g, '')
    .slice(0, 40)
  return part === '' ? undefined : part
}
