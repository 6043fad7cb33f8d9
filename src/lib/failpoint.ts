import { readFileSync } from 'node:fs'

let file: string | undefined

/** The file of armFailpoints(). Only a process that is told to be a test has one. */
export function failpointsIn(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  return environment.NODE_ENV === 'test' ? environment.TEST_FAILPOINTS || undefined : undefined
}

/** From now on this process stops (SIGSTOP) at the failpoint that the file names (`*` stands for anything), for as long as it is there. */
export function armFailpoints(path: string | undefined): void {
  file = path
}

/**
 * A place where a test may stop this process, so that it can kill it, or another one, exactly there. It
 * does nothing unless failpoints are armed.
 */
export function failpoint(...words: readonly (string | number)[]): void {
  if (file !== undefined && isNamed(words.join(' '), file)) {
    process.kill(process.pid, 'SIGSTOP')
  }
}

function isNamed(place: string, path: string): boolean {
  try {
    const parts = readFileSync(path, 'utf8').split('*').map(RegExp.escape)
    return new RegExp(`^${parts.join('.*')}$`, 's').test(place)
  } catch {
    return false
  }
}
