/**
 * Test files in this process, each as a suite of its own, so that its hooks are those of its tests only. Started by
 * unit-tests.ts, which names them. All are loaded before the first test runs: what a test needs of the present time it
 * asks for itself.
 */
import { join } from 'node:path'
import { describe } from 'node:test'
import { pathToFileURL } from 'node:url'

const ROOT = join(import.meta.dirname, '..')

for (const file of (process.env.SHARED_TESTS ?? '').split('\n').filter(name => name !== '')) {
  describe(file, async () => {
    await import(pathToFileURL(join(ROOT, file)).href)
  })
}
