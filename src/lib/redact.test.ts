import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createRedactor } from './redact.ts'

const CANARY = 'C4nary+s3cret/val:ue&<x>'

const FORMS: Readonly<Record<string, string>> = {
  'as it is': CANARY,
  'in another case': CANARY.toUpperCase(),
  'URL-encoded': encodeURIComponent(CANARY),
  'JSON-escaped': JSON.stringify({ token: CANARY }),
  'JSON-escaped as Go does it': '{"token":"C4nary+s3cret/val:ue\\u0026\\u003cx\\u003e"}',
  'in base64': Buffer.from(CANARY).toString('base64'),
  'in base64 after a user name': Buffer.from(`fox:${CANARY}`).toString('base64'),
  'in base64 after a longer user name': Buffer.from(`foxes:${CANARY}`).toString('base64'),
  'in base64url': Buffer.from(`x${CANARY}y`).toString('base64url'),
}

for (const [how, text] of Object.entries(FORMS)) {
  test(`R01 a secret ${how} does not come through`, () => {
    const out = createRedactor([CANARY]).text(`before ${text} after`)
    assert.match(out, /^before .*\[redacted\].* after$/)
    assert.doesNotMatch(out, /C4nary|s3cret/i)
    for (const part of text.match(/[A-Za-z0-9+/_%-]{12,}/g) ?? []) {
      assert.ok(!out.includes(part), `${part} came through`)
    }
  })

  test(`R01 C46 a secret ${how} does not come through a stream, wherever it is split`, () => {
    const whole = `before ${text} after\n`
    const redactor = createRedactor([CANARY])
    for (let at = 1; at < whole.length; at++) {
      assert.equal(streamed(redactor, [whole.slice(0, at), whole.slice(at)]), redactor.text(whole))
    }
    assert.equal(streamed(redactor, [...whole]), redactor.text(whole))
  })
}

test('R01 a reversed secret is not known: a documented miss', () => {
  const reversed = [...CANARY].reverse().join('')
  assert.equal(createRedactor([CANARY]).text(reversed), reversed)
})

test('R01 a shell-quoted secret does not come through', () => {
  assert.equal(createRedactor(["it's-mine"]).text("run 'it'\\''s-mine'"), "run '[redacted]'")
})

const TOKENS: Readonly<Record<string, string>> = {
  'a GitHub token': `ghp_${'a1B2'.repeat(9)}`,
  'a fine-grained GitHub token': `github_pat_${'11ABC_'.repeat(5)}`,
  'a GitLab token': `glpat-${'x-1_'.repeat(6)}`,
  'a Bitbucket token': `ATCTT${'3xFf='.repeat(6)}`,
  'a bearer header': 'Authorization: Bearer abc.def-123456789',
  'a basic header': 'authorization: basic Zm94OnBhc3N3b3Jk',
  'credentials in a URL': 'https://fox:pa55word@git.example.org/x',
}

for (const [what, text] of Object.entries(TOKENS)) {
  test(`R02 ${what} that nobody named is masked, also when it arrives in parts`, () => {
    const redactor = createRedactor()
    const out = redactor.text(`say ${text} now`)
    assert.match(out, /\[redacted\]/)
    assert.doesNotMatch(out, /a1B2a1B2|11ABC_11|x-1_x-1|3xFf=3xFf|def-123|Zm94|pa55word/)
    assert.equal(streamed(redactor, [...`say ${text} now`]), out)
  })
}

test('R01 no chunking lets a secret through, and the text around it stays the same', () => {
  const secret = fc.stringMatching(/^[abA\n]{6,12}$/)
  const pieces = fc.array(fc.oneof(secret, fc.stringMatching(/^[abAcé🦊 \n]{0,9}$/u)), { maxLength: 8 })
  fc.assert(
    fc.property(
      fc.array(secret, { minLength: 1, maxLength: 3 }),
      pieces,
      fc.array(fc.nat(40)),
      (secrets, texts, cuts) => {
        const redactor = createRedactor(secrets)
        const whole = [...texts, ...secrets, ...texts].join('')
        const out = streamed(redactor, cutUp(whole, cuts))
        assert.equal(out, redactor.text(whole))
        for (const value of secrets) {
          assert.ok(!out.toLowerCase().includes(value.toLowerCase()))
        }
      },
    ),
    { numRuns: 2_000 },
  )
})

test('overlapping secrets are masked as one', () => {
  assert.equal(createRedactor(['abcdef', 'abcdefgh']).text('x abcdefgh y'), 'x [redacted] y')
})

test('a line is delivered at its end when nothing is pending', () => {
  const stream = createRedactor(['a-long-secret-value', '-----BEGIN KEY-----\nabc\n-----END']).stream()
  assert.equal(stream.write('first line\n'), 'first line\n')
  assert.equal(stream.write('second '), 'second ')
  assert.equal(stream.write('line of a\n'), 'line of a\n')
  assert.equal(stream.write('-----BEGIN KEY-----\n'), '')
  assert.equal(stream.write('other\n'), '-----BEGIN KEY-----\nother\n')
  assert.equal(stream.end(), '')
})

test('each line of a key with several lines is masked on its own too', () => {
  const key = '-----BEGIN KEY-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQEFAASCBK\n-----END KEY-----'
  assert.equal(createRedactor([key]).text('#5 kiG9w0BAQEFAASCBK'), '#5 [redacted]')
})

test('a short value masks nothing, a value added later does', () => {
  const redactor = createRedactor(['true'])
  const stream = redactor.stream()
  assert.equal(redactor.text('true canary-1'), 'true canary-1')
  redactor.add(['canary-1'])
  assert.equal(redactor.text('true canary-1'), 'true [redacted]')
  assert.equal(stream.write('canary-1\n'), '[redacted]\n')
})

test('redacting twice changes nothing more', () => {
  const redactor = createRedactor(['canary-value'])
  const once = redactor.text('canary-value https://a:canary-value@b Bearer canary-value')
  assert.equal(redactor.text(once), once)
})

test('L01 a text without spaces or ends is not held back for ever', () => {
  const stream = createRedactor([CANARY]).stream()
  const chunk = 'x'.repeat(64 * 1024)
  let out = 0
  for (let i = 0; i < 160; i++) {
    out += stream.write(chunk).length
    assert.ok((i + 1) * chunk.length - out <= 128 * 1024, 'too much is held back')
  }
  assert.equal(out + stream.end().length, 160 * chunk.length)
})

test('L01 a token without an end is masked and not held back for ever', () => {
  const stream = createRedactor().stream()
  let out = stream.write(`ghp_${'a'.repeat(60_000)}`)
  out += stream.write('a'.repeat(60_000))
  assert.ok(out.length > 0)
  assert.doesNotMatch(out, /ghp_/)
})

function streamed(redactor: ReturnType<typeof createRedactor>, chunks: readonly string[]): string {
  const stream = redactor.stream()
  return chunks.map(chunk => stream.write(chunk)).join('') + stream.end()
}

function cutUp(text: string, cuts: readonly number[]): string[] {
  const places = [...new Set(cuts.map(cut => cut % (text.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, i) => text.slice(from, places[i] ?? text.length))
}
