import { createHash } from 'node:crypto'
import { closeSync, constants, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What is kept of a login: the token, and its id, by which it is ended. */
export interface KeptLogin {
  readonly token: string
  readonly id: string
}

/** Each manager has its own: a token is sent to nobody but who gave it. */
export function loginFileOf(dataFolder: string, managerUrl: string): string {
  const name = createHash('sha256').update(managerUrl).digest('hex').slice(0, 16)
  return join(dataFolder, 'logins', name)
}

/** For its owner's eyes alone, also while it is written. */
export function keepLogin(file: string, { token, id }: KeptLogin): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  // Made anew: a file that is there may have other rights, or lead elsewhere.
  rmSync(file, { force: true })
  const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants
  const descriptor = openSync(file, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600)
  try {
    writeSync(descriptor, `${token}\n${id}\n`)
  } finally {
    closeSync(descriptor)
  }
}

export function readLogin(file: string): KeptLogin | undefined {
  try {
    const [token = '', id = ''] = readFileSync(file, 'utf8').split('\n')
    return token === '' ? undefined : { token, id }
  } catch {
    return undefined
  }
}

export function forgetLogin(file: string): void {
  rmSync(file, { force: true })
}
