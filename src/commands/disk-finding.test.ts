import { deepEqual, equal, match } from 'node:assert/strict'
import { statfsSync } from 'node:fs'
import { test } from 'node:test'
import { diskSpace } from '#lib/disk-space.ts'
import { diskFinding } from './disk-finding.ts'

const USE = { where: 'somebody keeps files', mend: 'Free some space.' }
const WELL = { freeBytes: 2e9, bytes: 8e9, freeInodes: 10, inodes: 1_000 }

test('R99 a disk is full with less than 2 GB, or without inodes; a file system without a number of those is not', () => {
  deepEqual(diskFinding(WELL, USE), { detail: '2.0 GB (25 %) free where somebody keeps files' })
  deepEqual(diskFinding({ ...WELL, freeBytes: 1_900_000_000 }, USE), {
    detail: '1.9 GB (23 %) free where somebody keeps files',
    mend: USE.mend,
  })
  const { detail, mend } = diskFinding({ ...WELL, freeInodes: 9 }, USE)
  match(detail, /^2\.0 GB \(25 %\) free, but only 9 of 1000 inodes, where/)
  equal(mend, USE.mend)
  equal(diskFinding({ ...WELL, freeInodes: 0, inodes: 0 }, USE).mend, undefined)
  equal(diskFinding({ ...WELL, bytes: 0 }, USE).detail, '2.0 GB free where somebody keeps files')
})

test('what is kept for root is not free', () => {
  const stats = statfsSync('/')
  const space = diskSpace({ ...stats, bsize: 1_000, blocks: 100, bfree: 30, bavail: 20, files: 9, ffree: 4 })
  deepEqual(space, { freeBytes: 20_000, bytes: 90_000, freeInodes: 4, inodes: 9 })
})
