import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLines, LONGEST_LINE } from './lines.ts'

const CASES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['whole lines', ['a\nb\n'], ['a', 'b']],
  ['a line in parts', ['he', 'll', 'o\nw'], ['hello', 'w']],
  ['an empty line', ['a\n\nb\n'], ['a', '', 'b']],
  ['a last line without an end', ['a\nb'], ['a', 'b']],
  ['Windows line ends', ['a\r\nb\r\n'], ['a', 'b']],
  ['a Windows line end in two parts', ['a\r', '\nb'], ['a', 'b']],
  ['a progress bar', ['10%\r20%\r', '30%\n'], ['10%', '20%', '30%']],
  ['a NUL', ['a\0b\n'], ['a␀b']],
  ['nothing', ['', ''], []],
]

for (const [what, chunks, expected] of CASES) {
  test(`L01 ${what} gives ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(linesOf(chunks), expected)
  })
}

test('L01 a line of 10 MB comes in parts of 16 KiB, the first before its end', () => {
  const seen: string[] = []
  const lines = createLines(line => seen.push(line))
  for (let i = 0; i < 160; i++) {
    lines.write('x'.repeat(64 * 1024))
  }
  assert.ok(seen.length >= 639)
  lines.write('\n')
  assert.equal(seen.length, 640)
  assert.ok(seen.every(line => line.length === LONGEST_LINE))
})

test('L01 a character of two units is not cut in half', () => {
  const seen = linesOf([`${'x'.repeat(LONGEST_LINE - 1)}🦊🦊\n`])
  assert.deepEqual(
    seen.map(line => line.length),
    [LONGEST_LINE - 1, 4],
  )
  assert.ok(seen.every(line => line.isWellFormed()))
})

test('how a text is cut up changes no line', () => {
  const text = fc.stringMatching(/^[ab\r\n]{0,40}$/)
  fc.assert(
    fc.property(text, fc.array(fc.nat(40)), (whole, cuts) => {
      const places = [...new Set(cuts.map(cut => cut % (whole.length + 1)))].sort((a, b) => a - b)
      const chunks = [0, ...places].map((from, i) => whole.slice(from, places[i] ?? whole.length))
      assert.deepEqual(linesOf(chunks), linesOf([whole]))
    }),
  )
})

function linesOf(chunks: readonly string[]): string[] {
  const seen: string[] = []
  const lines = createLines(line => seen.push(line))
  for (const chunk of chunks) {
    lines.write(chunk)
  }
  lines.end()
  return seen
}
