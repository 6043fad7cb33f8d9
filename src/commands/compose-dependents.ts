/** These services and, as Compose does, every service that depends on one of them, over any number of steps. */
export function withDependents(
  names: readonly string[],
  dependencies: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const found = new Set(names)
  for (let size = -1; size !== found.size; ) {
    size = found.size
    for (const [name, dependsOn] of dependencies) {
      if (dependsOn.some(each => found.has(each))) {
        found.add(name)
      }
    }
  }
  return found
}
