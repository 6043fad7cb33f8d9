/** As a stack of that name is called in a swarm. */
export function swarmName(name: string): string {
  return name.toLowerCase().replaceAll('.', '_')
}

/** The engine that the third part of an instance's name means. */
export function engineOfSuffix(suffix: string): string {
  return suffix.toLowerCase().replaceAll('_', '-')
}
