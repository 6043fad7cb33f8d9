import { ok } from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { webFolder } from '#manager/web/web-files.ts'

/** Compressed script of the first page, sign-in passed. */
const MOST_BYTES = 200_000

interface Chunk {
  readonly file: string
  readonly imports?: readonly string[]
  readonly isEntry?: boolean
}

test('the first load of the overview takes less than 200 kB of compressed script', () => {
  const folder = webFolder()
  ok(folder, 'it was built')
  const manifest = JSON.parse(readFileSync(join(folder, '.vite/manifest.json'), 'utf8')) as Record<
    string,
    Chunk
  >
  const entry = Object.keys(manifest).filter(key => manifest[key]?.isEntry === true)
  const needed = new Set<string>()
  const visit = (key: string) => {
    if (!needed.has(key)) {
      needed.add(key)
      manifest[key]?.imports?.forEach(visit)
    }
  }
  for (const key of [...entry, 'pages/OverviewPage.vue']) {
    ok(manifest[key], key)
    visit(key)
  }
  const bytes = [...needed].reduce(
    (sum, key) => sum + statSync(join(folder, `${manifest[key]?.file}.br`)).size,
    0,
  )
  ok(bytes > 50_000 && bytes < MOST_BYTES, `${bytes} bytes`)
})
