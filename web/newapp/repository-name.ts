/** A name for the repository of an address: its last part, as far as names may be so. */
export function repositoryName(url: string): string {
  const last =
    url
      .trim()
      .replace(/(?:\.git)?\/*$/, '')
      .split(/[/:]/)
      .at(-1) ?? ''
  return last
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '')
}
