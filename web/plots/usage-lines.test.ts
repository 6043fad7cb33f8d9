import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UsageDocument } from '#contract/rest/usage.ts'
import { linesOf, processorText, wordsOf } from './usage-lines.ts'

function look(second: number, ...processors: (number | null)[]): UsageDocument {
  const containers = processors.map((each, index) => ({
    ...{ name: `shop-${index}`, processors: each },
    ...{ memory_bytes: 10, memory_limit_bytes: 100 },
  }))
  return { at: new Date(second * 1000).toISOString(), containers, left: 0 }
}

test('a plot has all containers of an app together; what is not known yet is no nothing', () => {
  assert.deepEqual(linesOf([look(0, null, null), look(5, 0.5, null), look(10, 0.5, 1), look(15)]), {
    times: [0, 5, 10, 15],
    processors: [null, 0.5, 1.5, 0],
    memory: [20, 20, 20, 0],
  })
})

test('the lines are interrupted where nobody looked', () => {
  assert.deepEqual(linesOf([look(0, 1), look(100, null), look(105, 1)]), {
    times: [0, 1, 100, 105],
    processors: [1, null, null, 1],
    memory: [10, null, 10, 10],
  })
})

test('a plot is told in words too', () => {
  const amounts = [null, 0.5, 1.4, 0.034, null]
  assert.equal(
    wordsOf('Processor', amounts, processorText),
    'Processor of the last ten minutes: 3.4 % now, 140 % at most.',
  )
  assert.equal(wordsOf('Processor', [null], processorText), 'Processor: nothing is known yet.')
})
