import { FairleadError } from '#lib/errors.ts'
import { DISK_FULL, FILE_FAILED } from './errors.ts'

/** What the system said about a file, as an error of the catalogue. */
export function fileError(operation: string, path: string, error: unknown): FairleadError {
  if (error instanceof FairleadError) {
    return error
  }
  const code = systemCode(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return DISK_FULL(path).with({ cause: error })
  }
  return FILE_FAILED(operation, path, code ?? 'unknown reason').with({ cause: error })
}

/** ENOENT, ECONNREFUSED …: the name that the system gives a failure. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : undefined
}
