/**
 * Writes what managers and agents of this minor version say to each other, as JSON schemas, for tests of later versions
 * (docs/decisions/0098): `node scripts/record-contract.ts`. Of a version that has been released it stays as it is.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { contractOfToday, contractText } from '#manager/agents/test-contract.ts'

const ROOT = join(import.meta.dirname, '..')
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
const minor = version.split('.', 2).join('.')
const file = `src/manager/agents/contracts/${minor}.json`
const isReleased = !readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8').includes(`## ${minor}.0 (unreleased)`)
if (existsSync(join(ROOT, file)) && isReleased) {
  process.stderr.write(`${minor}.0 has been released (CHANGELOG.md): ${file} stays as it is.\n`)
  process.exitCode = 1
} else {
  writeFileSync(join(ROOT, file), contractText(contractOfToday()))
  process.stdout.write(`wrote ${file}\n`)
}
