import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Storing } from './storing.ts'

const MIB = 1024 * 1024

function lines(...seqs: number[]) {
  return seqs.map(seq => ({ seq, at: 0, stream: 'stdout' as const, text: '' }))
}

test('X02 lines that nobody stores are taken up to a bound', () => {
  const storing = new Storing({
    fromSeq: 0,
    onLines: () => new Promise(() => undefined),
    onFailure: assert.ifError,
  })
  let taken = 0
  for (let seq = 1; seq <= 1000; seq++) {
    taken += storing.take({ lines: lines(seq), bytes: MIB / 4, stored: () => undefined }) === 'taken' ? 1 : 0
  }
  assert.equal(taken, 8)
})

test('M22 whatever an agent sends, lines are stored in order and each once', async () => {
  const pieces = fc.array(fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 5 }))
  await fc.assert(
    fc.asyncProperty(pieces, async all => {
      const stored: number[] = []
      const storing = new Storing({
        fromSeq: 0,
        onLines: some => void stored.push(...some.map(({ seq }) => seq)),
        onFailure: assert.ifError,
      })
      for (const seqs of all) {
        storing.take({ lines: lines(...seqs), bytes: 1, stored: () => undefined })
      }
      await storing.settle()
      assert.deepEqual(
        stored,
        [...new Set(stored)].toSorted((a, b) => a - b),
      )
      assert.ok(stored.every(seq => seq > 0))
      assert.equal(storing.stored, stored.at(-1) ?? 0)
    }),
  )
})
