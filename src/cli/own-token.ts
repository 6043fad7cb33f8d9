import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Beside the token that `up` keeps where commands look: the addresses of the manager that gave it, one a line. */
const OF = '.managers'

export function keepAddresses(tokenFile: string, urls: readonly string[]): void {
  mkdirSync(dirname(tokenFile), { recursive: true, mode: 0o700 })
  writeFileSync(`${tokenFile}${OF}`, `${urls.map(placeOf).join('\n')}\n`, { mode: 0o600 })
}

/** Whether the token in this file is one that this manager gave: no other one gets to see it. */
export function isTokenOf(tokenFile: string, managerUrl: string): boolean {
  const asked = placeOf(managerUrl)
  try {
    return readFileSync(`${tokenFile}${OF}`, 'utf8').split('\n').includes(asked)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw error
    }
    // Kept before addresses were: of a manager on this machine.
    return URL.parse(asked)?.hostname === HERE
  }
}

const HERE = '127.0.0.1'

/** Scheme, host and port; this machine has one name of several. */
function placeOf(url: string): string {
  const parsed = URL.parse(url)
  if (!parsed) {
    return url
  }
  if (['localhost', '[::1]'].includes(parsed.hostname)) {
    parsed.hostname = HERE
  }
  return parsed.origin
}
