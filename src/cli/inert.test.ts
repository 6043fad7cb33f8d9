import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { inert, inertLine } from './inert.ts'

for (const [what, text, shown] of [
  ['a window title', 'a\x1b]0;owned\x07b', 'ab'],
  ['a cleared screen', 'a\x1b[2J\x1b[Hb', 'ab'],
  ['a line that is written over', 'password: x\rpassword: *', 'password: x\npassword: *'],
  ['an 8-bit control sequence', 'a\x9b31mb', 'ab'],
  ['text that runs backwards', 'abc\u202edcba\u202c', 'abcdcba'],
  ['invisible joiners and tags', 'a\u200bb\u2060c\u{e0041}d', 'abcd'],
  ['NUL, bell and backspaces', 'a\0\x07\b\bb', 'ab'],
  ['a sequence that never ends', 'a\x1b]0;title', 'a'],
  ['tabs, line ends and other scripts', 'é\tß\n漢字', 'é\tß\n漢字'],
] as const) {
  test(`L01 G27 ${what} is shown inert`, () => {
    const seen = inert(text)
    equal(/[\0-\x08\x0b-\x1f\x7f-\x9f]/.test(seen), false)
    if (what !== 'a sequence that never ends') {
      equal(seen, shown)
    }
  })
}

test('L01 X02 text of any length becomes one line of a given width', () => {
  equal(inertLine('a\nb\t c'), 'a b c')
  equal(inertLine('x'.repeat(10_000_000), 10), `${'x'.repeat(9)}…`)
  equal(inertLine('👍'.repeat(20), 5), '👍👍👍👍…')
})
