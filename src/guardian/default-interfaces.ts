import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Interfaces over which this machine reaches the rest of the world: none of them may count as one of containers. Read
 * below /proc/self: a unit with ProcSubset=pid has no /proc/net.
 */
export function defaultInterfaces(folder = '/proc/self/net'): string[] {
  const four = wordsIn(readFileSync(join(folder, 'route'), 'latin1'))
    .slice(1)
    .flatMap(([name, destination, , , , , , mask]) =>
      destination === '00000000' && mask === '00000000' ? [name] : [],
    )
  const six = ipv6In(join(folder, 'ipv6_route')).flatMap(words =>
    words[0] === '0'.repeat(32) && words[1] === '00' ? [words.at(-1)] : [],
  )
  return [...new Set([...four, ...six])].flatMap(name => (name === undefined || name === 'lo' ? [] : [name]))
}

/** Whether an interface is meant by a name that may end with `*`. */
export function isMeant(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

function ipv6In(file: string): string[][] {
  try {
    return wordsIn(readFileSync(file, 'latin1'))
  } catch {
    // A kernel without IPv6.
    return []
  }
}

function wordsIn(text: string): string[][] {
  return text
    .trim()
    .split('\n')
    .map(line => line.trim().split(/\s+/))
}
