import { writeFileSync } from 'node:fs'
import { FILE_NOT_WRITTEN } from './backup-errors.ts'

/** Makes an empty file that only its owner may read, never over another one, to be written later. */
export function openNewFile(file: string): { write(text: string): void } {
  try {
    writeFileSync(file, '', { flag: 'wx', mode: 0o600 })
  } catch (error) {
    throw FILE_NOT_WRITTEN(file, (error as Error).message)
  }
  return { write: text => writeFileSync(file, text) }
}
