import { readFileSync } from 'node:fs'

/** Interfaces over which this machine reaches the rest of the world: none of them may count as one of containers. */
export function defaultInterfaces(): string[] {
  const four = linesOf('/proc/net/route')
    .slice(1)
    .flatMap(([name, destination, , , , , , mask]) =>
      destination === '00000000' && mask === '00000000' ? [name] : [],
    )
  const six = linesOf('/proc/net/ipv6_route').flatMap(words =>
    words[0] === '0'.repeat(32) && words[1] === '00' ? [words.at(-1)] : [],
  )
  return [...new Set([...four, ...six])].flatMap(name => (name === undefined || name === 'lo' ? [] : [name]))
}

/** Whether an interface is meant by a name that may end with `*`. */
export function isMeant(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

function linesOf(file: string): string[][] {
  try {
    return readFileSync(file, 'latin1')
      .trim()
      .split('\n')
      .map(line => line.trim().split(/\s+/))
  } catch {
    // A kernel without IPv6.
    return []
  }
}
