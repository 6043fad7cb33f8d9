import { existsSync, renameSync, rmSync } from 'node:fs'
import { FairleadError } from '#lib/errors.ts'
import { failpoint } from '#lib/failpoint.ts'
import { randomText } from '#lib/id.ts'
import { BACKUP_EXISTS, BACKUP_NOT_WRITTEN } from './errors.ts'

export function refuseExisting(file: string): void {
  if (existsSync(file)) {
    throw BACKUP_EXISTS(file)
  }
}

/** Makes a file that appears when it is whole, and leaves nothing otherwise; who has opened it already sees to that. */
export async function writeWhole<T>(
  { to, descriptor }: { readonly to: string; readonly descriptor: number | undefined },
  write: (draft: string) => Promise<T>,
): Promise<T> {
  if (descriptor !== undefined) {
    return await write(to)
  }
  const draft = `${to}.${randomText(6)}.part`
  try {
    const made = await write(draft)
    failpoint('manager', 'backup', 'before-rename')
    renameSync(draft, to)
    return made
  } catch (error) {
    rmSync(draft, { force: true })
    throw error instanceof FairleadError
      ? error
      : BACKUP_NOT_WRITTEN(to, (error as Error).message).with({ cause: error })
  }
}
