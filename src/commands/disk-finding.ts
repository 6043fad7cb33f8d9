import type { DiskSpace } from '#lib/disk-space.ts'
import type { Finding } from './host-checks.ts'

const LITTLE_BYTES = 2_000_000_000
/** Of all inodes: without a free one nothing can be written, however many bytes are left. */
const LITTLE_SHARE = 0.01

export interface DiskUse {
  /** What is there, as in "where the worker keeps its files". */
  readonly where: string
  /** What to do where little is left. */
  readonly mend: string
}

/** Whether enough is left of a file system; the same for managers, workers, guardians and engines. */
export function diskFinding(space: DiskSpace, { where, mend }: DiskUse): Finding {
  const { freeBytes, bytes, freeInodes, inodes } = space
  const share = bytes > 0 ? ` (${Math.floor((freeBytes / bytes) * 100)} %)` : ''
  const fewInodes = inodes > 0 && freeInodes < inodes * LITTLE_SHARE
  const left = fewInodes ? `, but only ${freeInodes} of ${inodes} inodes,` : ''
  const detail = `${(freeBytes / 1e9).toFixed(1)} GB${share} free${left} where ${where}`
  return freeBytes >= LITTLE_BYTES && !fewInodes ? { detail } : { detail, mend }
}
