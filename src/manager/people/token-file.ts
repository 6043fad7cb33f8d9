import { closeSync, constants, openSync, writeSync } from 'node:fs'

/** Writes the first token where its owner alone can read it. A file that is there already is replaced. */
export function writeTokenFile(file: string, token: string): void {
  const { O_CREAT, O_TRUNC, O_WRONLY, O_SYNC, O_NOFOLLOW } = constants
  const descriptor = openSync(file, O_CREAT | O_TRUNC | O_WRONLY | O_SYNC | O_NOFOLLOW, 0o600)
  try {
    writeSync(descriptor, `${token}\n`)
  } finally {
    closeSync(descriptor)
  }
}
