import { EVERYTHING } from './convention-compose.ts'

const MOST = 100
const LONGEST = 300
const STRANGE = /^\/|(?:^|\/)\.\.(?:\/|$)|\p{Cc}/u

/** Paths as the setting "watch" takes them; everything when they are more than it takes. */
export function watched(paths: readonly string[]): string[] {
  const all = [...new Set(paths)]
  const isEasy = all.every(path => path !== '.' && !STRANGE.test(path) && path.length <= LONGEST)
  return isEasy && all.length <= MOST && !all.includes(EVERYTHING) ? all : [EVERYTHING]
}
