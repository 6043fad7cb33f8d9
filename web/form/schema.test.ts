import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asText, fieldsOf, fromText } from './schema.ts'

test('a schema becomes fields: texts, numbers, switches, choices, and JSON for the rest', () => {
  const fields = fieldsOf(
    {
      properties: {
        domain: { type: 'string', description: 'Where it is reached.' },
        port: { type: 'integer', default: 8080 },
        approval: { type: 'boolean' },
        drift: { anyOf: [{ const: 'report' }, { const: 'repair' }] },
        watch: { type: 'array' },
        domains: { type: 'array', items: { type: 'string' } },
        target: { const: 'container' },
      },
      required: ['port'],
    },
    ['target'],
  )
  assert.deepEqual(
    fields.map(({ name, kind, isRequired }) => [name, kind, isRequired]),
    [
      ['domain', 'text', false],
      ['port', 'number', true],
      ['approval', 'switch', false],
      ['drift', 'choice', false],
      ['watch', 'json', false],
      ['domains', 'list', false],
    ],
  )
  assert.deepEqual(fields[3]?.choices, ['report', 'repair'])
})

test('a list of texts is written with commas, and as JSON where that would be another list', () => {
  for (const list of [
    ['a.example.org', 'b.example.org'],
    ['sh', '-c', 'echo a, b'],
    [],
    [' padded'],
    ['[x]'],
    [''],
  ]) {
    assert.deepEqual(fromText('list', asText('list', list)), list)
  }
  assert.equal(asText('list', ['a', 'b']), 'a, b')
  assert.deepEqual(fromText('list', ' a ,b, '), ['a', 'b'])
})

test('what is typed becomes a value of its kind, and what cannot is told with an example', () => {
  assert.equal(fromText('number', '80'), 80)
  assert.equal(fromText('switch', 'true'), true)
  assert.deepEqual(fromText('json', '["a"]'), ['a'])
  assert.equal(fromText('text', ' '), undefined)
  assert.throws(() => fromText('number', 'eighty'), /such as 8080/)
  assert.throws(() => fromText('json', '[a]'), /Write it as JSON/)
  assert.equal(asText('json', { a: 1 }), '{"a":1}')
})
