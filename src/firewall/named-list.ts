/** `@github-hooks` among the sources of an opening: the addresses of the list of that name, as they are at the time. */
const LIST_NAME = '[a-z0-9][a-z0-9-]{0,39}'
const SOURCE = new RegExp(`^@(${LIST_NAME})$`)

/** The name of the list; undefined for what is none. */
export function listNamedBy(source: string): string | undefined {
  return SOURCE.exec(source)?.[1]
}
