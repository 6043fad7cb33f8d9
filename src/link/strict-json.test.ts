import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BAD_FRAME } from './errors.ts'
import { parseStrict } from './strict-json.ts'

const REFUSED = {
  'a key twice': '{"command":"ping","command":"exec"}',
  'a key twice, once escaped': '{"command":1,"\\u0063ommand":2}',
  'a key twice, deep inside': '{"a":[{"b":{"c":1,"d":"x","c":2}}]}',
  'a key twice after a list': '{"a":[1,2],"b":3,"a":4}',
  'a prototype': '{"__proto__":{"admin":true}}',
  'an escaped prototype': '{"\\u005f_proto__":1}',
  'nesting of 17': `${'['.repeat(17)}${']'.repeat(17)}`,
  'nesting without end': '[{"a":'.repeat(100_000),
  'no JSON': 'hello',
  'half a string': '{"a":"b',
  'two values': '{}{}',
  'a key that ends in the middle of an escape': '{"\\u12":1}',
  nothing: '',
}

for (const [what, text] of Object.entries(REFUSED)) {
  test(`M16 ${what} is refused`, () => {
    assert.throws(() => parseStrict(text), BAD_FRAME.matches)
  })
}

const ACCEPTED = {
  'the same key in two objects': '[{"a":1},{"a":2},{"b":{"a":1},"a":2}]',
  'a value that equals a key': '{"a":"a","b":"a"}',
  'a value with quotes and brackets in it': '{"a":"\\"{[,:","b":"\\\\","c":"\\\\\\""}',
  'nesting of 16': `${'['.repeat(16)}${']'.repeat(16)}`,
}

for (const [what, text] of Object.entries(ACCEPTED)) {
  test(`M16 ${what} is accepted`, () => {
    assert.deepEqual(parseStrict(text), JSON.parse(text))
  })
}

test('M16 every JSON value without __proto__ that is flat enough reads back as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), text => {
      fc.pre(!/proto__/.test(text))
      assert.deepEqual(parseStrict(text), JSON.parse(text))
    }),
  )
})

test('M16 any text is either refused as a bad frame or what JSON.parse gives', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', 'a', '1', ' ') }),
      text => {
        try {
          assert.deepEqual(parseStrict(text), JSON.parse(text))
        } catch (error) {
          assert.ok(BAD_FRAME.matches(error))
        }
      },
    ),
    { numRuns: 2000 },
  )
})
