import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newTotp, totpStep } from './totp.ts'

/** Of RFC 6238: the text 12345678901234567890. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

for (const [seconds, code] of [
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_234_567_890, '005924'],
  [20_000_000_000, '353130'],
] as const) {
  test(`the code at ${seconds} s is that of RFC 6238, holds for its neighbours in time, and opens once`, () => {
    const step = Math.floor(seconds / 30)
    for (const [moment, after, expected] of [
      [step, 0, step],
      [step - 1, 0, step],
      [step + 1, 0, step],
      [step + 2, 0, undefined],
      [step - 2, 0, undefined],
      [step, step, undefined],
      [step, step - 1, step],
    ] as const) {
      assert.equal(totpStep(SECRET, code, { now: moment * 30_000, after }), expected)
    }
    for (const wrong of ['', '0', `${code}0`, 'abcdef']) {
      assert.equal(totpStep(SECRET, wrong, { now: step * 30_000, after: 0 }), undefined)
    }
  })
}

test('each account has a secret of its own, and an address for the picture', () => {
  const [one, other] = [newTotp('ada@example.org'), newTotp('ada@example.org')]
  assert.notEqual(one.secret, other.secret)
  assert.match(one.secret, /^[A-Z2-7]{32}$/)
  assert.match(one.uri, new RegExp(`^otpauth://totp/Fairlead:ada%40example\\.org\\?.*secret=${one.secret}`))
})
