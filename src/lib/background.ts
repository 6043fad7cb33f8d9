import { asFairleadError, type FairleadError } from './errors.ts'

/** Lets a promise run on its own on purpose; what goes wrong reaches `onError` instead of ending the process. */
export function background(work: Promise<unknown>, onError: (error: FairleadError) => void): void {
  work.catch(error => onError(asFairleadError(error)))
}
