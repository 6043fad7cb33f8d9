import { ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '../..')
/** `file`: the ids that a test's title there begins with. */
const EVIDENCE = /\| `([^`]+\.test\.ts)`: ((?:R\d+ ?)+)\|/g

test('R100 the procedure of artefacts is documented, and each part names a test that is there', () => {
  const page = readFileSync(join(ROOT, 'docs/artifacts.md'), 'utf8')
  const parts = [...page.matchAll(EVIDENCE)]
  ok(parts.length >= 10, `${parts.length} parts`)
  const shown = parts.map(([, , ids = '']) => ids).join(' ')
  for (let number = 86; number <= 99; number += 1) {
    // The server itself runs as the project does, not as R92 and R97 had it.
    ok([92, 97].includes(number) || shown.includes(`R${number}`), `R${number} is part of it`)
  }
  for (const [, file = '', ids = ''] of parts) {
    const text = readFileSync(join(ROOT, file), 'utf8')
    ok(new RegExp(`['"\`]${ids.trim()} `).test(text), `${file} has a test that begins with ${ids}`)
  }
})
