import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import type { CommitResult } from '#contract/rest/result.ts'
import { configureResult } from './commands/result.ts'
import { callCommand, SILENT } from './test-command.ts'

const WORDS = ['--repository', 'infra', '--commit', 'c'.repeat(40)]

/** The exit code, and how long it asked by a clock that only sleeping moves. */
async function ends(state: (ms: number) => CommitResult['state'], ...words: string[]) {
  let ms = 0
  const session = {
    clock: {
      monotonic: () => ms,
      sleep: async (more: number) => {
        ms += more
      },
    },
    client: { get: async () => ({ commit: '', state: state(ms), deployments: [], result: {} }) },
    printer: SILENT,
  }
  const code = await callCommand(configureResult, { session, words: [...WORDS, ...words] })
  return [code, ms / 1000]
}

test('R58 waiting for the result of a commit ends with what a script can tell apart', async () => {
  const after = (end: CommitResult['state']) => (ms: number) => (ms < 3600_000 ? 'running' : end)
  deepEqual(await ends(after('succeeded'), '--wait'), [0, 3600])
  deepEqual(await ends(after('failed'), '--wait'), [1, 3600])
  deepEqual(await ends(after('waiting'), '--wait'), [5, 3600])
  deepEqual(await ends(after('superseded'), '--wait'), [8, 3600])
  deepEqual(await ends(after('succeeded'), '--wait', '--timeout', '20m'), [7, 1200])
  deepEqual(await ends(after('succeeded')), [7, 0])
})

test('R58 a commit of which nothing ever begins is waited for ten minutes, or as long as is said', async () => {
  deepEqual(await ends(() => 'none', '--wait'), [7, 600])
  deepEqual(await ends(() => 'none', '--wait', '--timeout', '20m'), [7, 1200])
  const late = (ms: number) => (ms < 500_000 ? 'none' : ms < 900_000 ? 'running' : 'succeeded')
  deepEqual(await ends(late, '--wait'), [0, 900])
})
