import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldsOf } from '#web/form/schema.ts'
import { optionSchema } from './stack-options.ts'

const definition = {
  ...{ repository: 'infra', name: 'website', kind: 'compose', file: 'docker-compose.website.yml' },
  ...{ composes: [], stacks: [], problems: [] },
  options: {
    type: 'object',
    properties: {
      PORT: { type: 'integer', title: 'Port' },
      SIZE: { type: 'string', enum: ['small', 'large'], default: 'small' },
      PASSWORD: { type: 'string', writeOnly: true },
    },
    required: ['PORT'],
  },
} as const

test('R34 the form of a stack has a field for each option of its definition, in words that people read', () => {
  const fields = fieldsOf(optionSchema({ ...definition, composes: [], stacks: [], problems: [] }))
  assert.deepEqual(
    fields.map(({ name, label, kind, isRequired }) => [name, label, kind, isRequired]),
    [
      ['PORT', 'Port', 'number', true],
      ['SIZE', 'SIZE', 'choice', false],
      ['PASSWORD', 'PASSWORD', 'text', false],
    ],
  )
  assert.match(fields[2]?.help ?? '', /name of a secret/)
})

test('R34 what a file sets and its definition does not describe can be changed all the same', () => {
  const fields = fieldsOf(optionSchema(undefined, { DOMAIN: 'shop.example.org' }))
  assert.deepEqual(
    fields.map(({ name, kind }) => [name, kind]),
    [['DOMAIN', 'text']],
  )
})
