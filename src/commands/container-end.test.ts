import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { howItEnded } from './container-end.ts'

const ENDED = { outOfMemory: false, memoryBytes: 0, exitCode: 0, error: '' }
const LIMIT = 16 * 1024 * 1024

const ENDS: readonly [string, Partial<typeof ENDED>, string][] = [
  ['by itself', { exitCode: 3 }, 'exit code 3'],
  ['before it began', { exitCode: 127, error: 'no such file' }, 'exit code 127 (no such file)'],
  [
    'for its memory, as the engine heard',
    { exitCode: 137, memoryBytes: LIMIT, outOfMemory: true },
    'the kernel ended it for using more memory than it may',
  ],
  [
    'for its memory, of which the engine heard nothing',
    { exitCode: 137, memoryBytes: LIMIT },
    'exit code 137: it was killed, as happens to what needs more than its 16 MiB of memory',
  ],
  ['killed without a limit', { exitCode: 137 }, 'exit code 137'],
]

for (const [how, facts, said] of ENDS) {
  test(`a container that ended ${how} is told of as such`, () =>
    equal(howItEnded({ ...ENDED, ...facts }), said))
}
