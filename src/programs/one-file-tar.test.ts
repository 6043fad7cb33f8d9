import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { oneFileTar } from './one-file-tar.ts'

test('tar reads the file with its owner and mode, and what is in it', () => {
  const input = oneFileTar({ name: 'token', content: 'abc-123', mode: 0o400, uid: 1000 })
  const told = execFileSync('tar', ['-tvf', '-', '--numeric-owner'], { input, encoding: 'utf8' })
  assert.match(told, /^-r-------- 1000\/1000\s+7 .* token\n$/)
  assert.equal(execFileSync('tar', ['-xOf', '-', 'token'], { input, encoding: 'utf8' }), 'abc-123')
})
