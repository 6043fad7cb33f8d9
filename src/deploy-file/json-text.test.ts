import { deepEqual, equal, match } from 'node:assert/strict'
import { test } from 'node:test'
import { readJson } from './json-text.ts'

test('a value of JSON, a key, and the nearest thing around what is absent have their places', () => {
  const { value, problems, placeOf } = readJson('{\n  "list": [1, { "deep": true }]\n}')
  deepEqual([value, problems], [{ list: [1, { deep: true }] }, []])
  deepEqual(placeOf(['list'], 'key'), { line: 2, column: 3 })
  deepEqual(placeOf(['list', 1, 'deep'], 'value'), { line: 2, column: 25 })
  deepEqual(placeOf(['list', 7], 'value'), { line: 2, column: 11 })
})

test('what is no JSON is refused with its place, and so is what two readers could read differently', () => {
  const refused = {
    '': [1, 1],
    '{"a": 1}\nx': [2, 1],
    '[1,]': [1, 4],
    "{'a': 1}": [1, 2],
    '{"b": {"a": 1, "a": 2}}': [1, 16],
    '\uFEFF{}': [1, 1],
    '{"a": "\t"}': [1, 1],
    '{"a": NaN}': [1, 7],
    '// {}': [1, 1],
  }
  for (const [text, place] of Object.entries(refused)) {
    const { value, problems } = readJson(text)
    deepEqual([value, [problems[0]?.line, problems[0]?.column]], [undefined, place], text)
  }
})

test('bombs are refused unread', () => {
  match(readJson('['.repeat(100_000)).problems[0]?.message ?? '', /nested too deeply/)
  match(readJson(`"${'x'.repeat(300_000)}"`).problems[0]?.message ?? '', /larger/)
  equal(Object.hasOwn(readJson('{"__proto__": 1}').value as object, '__proto__'), true)
})
