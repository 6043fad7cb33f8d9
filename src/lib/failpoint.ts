import { readFileSync } from 'node:fs'

let file: string | undefined

/** The file of armFailpoints(). Only a process that is told to be a test has one. */
export function failpointsIn(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  return environment.NODE_ENV === 'test' ? environment.TEST_FAILPOINTS || undefined : undefined
}

/** From now on this process stops (SIGSTOP) at the failpoint whose name is in the file, for as long as it is there. */
export function armFailpoints(path: string | undefined): void {
  file = path
}

/**
 * A place where a test may stop this process, so that it can kill it, or another one, exactly there. It
 * does nothing unless failpoints are armed.
 */
export function failpoint(...words: readonly (string | number)[]): void {
  if (file !== undefined && words.join(' ') === nameIn(file)) {
    process.kill(process.pid, 'SIGSTOP')
  }
}

function nameIn(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
