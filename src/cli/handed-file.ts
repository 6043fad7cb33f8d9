import { closeSync, constants, existsSync, openSync, renameSync, rmSync } from 'node:fs'
import { randomText } from '#lib/id.ts'
import { FILE_NOT_WRITTEN } from './backup-errors.ts'
import { FILE_NOT_READ } from './errors.ts'

/** A file for a program that may not open it itself. It is closed at disposal. */
export interface HandedFile extends Disposable {
  readonly descriptor: number
  /** Gives what was written its name; without it nothing is left. */
  keep(): void
}

/** A new file that appears when it is kept. Throws FILE_NOT_WRITTEN, also where there is one of that name. */
export function openDraft(to: string): HandedFile {
  const draft = `${to}.${randomText(6)}.part`
  const { O_CREAT, O_EXCL, O_WRONLY, O_DSYNC } = constants
  const descriptor = attempt(FILE_NOT_WRITTEN, to, () => {
    if (existsSync(to)) {
      throw new Error('it exists already')
    }
    return openSync(draft, O_CREAT | O_EXCL | O_WRONLY | O_DSYNC, 0o600)
  })
  return {
    descriptor,
    keep: () => attempt(FILE_NOT_WRITTEN, to, () => renameSync(draft, to)),
    [Symbol.dispose]() {
      closeSync(descriptor)
      rmSync(draft, { force: true })
    },
  }
}

/** Throws FILE_NOT_READ. */
export function openFile(from: string): HandedFile {
  const descriptor = attempt(FILE_NOT_READ, from, () => openSync(from, 'r'))
  return { descriptor, keep: () => undefined, [Symbol.dispose]: () => closeSync(descriptor) }
}

function attempt<T>(kind: (file: string, problem: string) => Error, file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw kind(file, (error as Error).message)
  }
}
