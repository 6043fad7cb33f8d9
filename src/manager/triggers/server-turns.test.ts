import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServerTurns } from './server-turns.ts'

test('R80 a Git server whose looks work but take long gets one at a time, until one is quick again', () => {
  const turns = new ServerTurns()
  const ends = Array.from({ length: 8 }, () => turns.begin('slow', 0))
  assert.equal(turns.isFree('slow', 0), false)
  assert.equal(turns.isFree('other', 0), true)
  for (const end of ends) {
    end('well', 14_000)
  }
  const only = turns.begin('slow', 14_000)
  assert.equal(turns.isFree('slow', 14_000), false)
  only('well', 14_100)
  turns.begin('slow', 14_100)
  assert.equal(turns.isFree('slow', 14_100), true)
})

test('R80 a Git server that asked for time is free again when it is over, not when another look worked', () => {
  const turns = new ServerTurns()
  const one = turns.begin('busy', 0)
  const other = turns.begin('busy', 0)
  one({ ms: 60_000 }, 100)
  other('well', 200)
  assert.equal(turns.isFree('busy', 60_000), false)
  assert.equal(turns.isFree('busy', 60_100), true)
})
