import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkOptions, type OptionValue } from './check-options.ts'
import { readOptionsSchema } from './options-schema.ts'

const COMPOSE =
  'services:\n  web:\n    image: web:${TAG:-1}\n    ports: ["${PORT}:80"]\n    environment: { K: "${KEY}" }\n'
const DESCRIBED = JSON.stringify({
  title: 'A web server',
  type: 'object',
  properties: {
    PORT: { type: 'integer', minimum: 1024, maximum: 65535, title: 'Port of the host' },
    SIZE: { type: 'string', enum: ['small', 'large'], default: 'small' },
    DOMAIN: { type: 'string', pattern: '^([a-z]+\\.)+[a-z]+$' },
    KEY: { type: 'string', writeOnly: true },
  },
  required: ['PORT'],
})

const described = { file: 'stack-definition.web.schema.json', text: DESCRIBED }
const { schema } = readOptionsSchema({ composes: [COMPOSE], described })

test('R33 the options are those of the file beside the definition and every other variable of its Compose files', () => {
  assert.deepEqual(Object.keys(schema.properties), ['PORT', 'SIZE', 'DOMAIN', 'KEY', 'TAG'])
  assert.deepEqual(schema.properties.TAG, { type: 'string', default: '1' })
  assert.deepEqual(schema.required, ['PORT'])
})

test('R33 without a file beside it the Compose files say which options there are and which have to be given', () => {
  const { schema: own, problems } = readOptionsSchema({ composes: [COMPOSE, 'x: ${TAG?which version}'] })
  assert.deepEqual(problems, [])
  assert.deepEqual(own.required, ['TAG', 'PORT', 'KEY'])
  assert.deepEqual(own.properties.TAG, { type: 'string', default: '1', description: 'which version' })
})

test('R29 R30 options become parameters: what is given, and the defaults of the others', () => {
  const { parameters, problems } = checkOptions(schema, {
    PORT: '8080',
    DOMAIN: 'a.example',
    KEY: '$SHOP_KEY',
  })
  assert.deepEqual(problems, [])
  assert.deepEqual(parameters, {
    ...{ PORT: '8080', SIZE: 'small', DOMAIN: 'a.example', KEY: '$SHOP_KEY', TAG: '1' },
  })
})

const REFUSED: readonly [Record<string, OptionValue>, string, RegExp][] = [
  [{}, 'PORT', /is missing.*whole number from 1024 to 65535/],
  [{ PORT: 80 }, 'PORT', /is 80.*from 1024/],
  [{ PORT: 'x' }, 'PORT', /is a text/],
  [{ PORT: 8080, PROT: 1 }, 'PROT', /did you mean "PORT"/],
  [{ PORT: 8080, SIZE: 'huge' }, 'SIZE', /is not known: "huge".*"small", "large"/],
  [{ PORT: 8080, DOMAIN: 'A' }, 'DOMAIN', /right form/],
  [{ PORT: 8080, KEY: 'plain' }, 'KEY', /is a secret/],
  [{ PORT: 8080, __proto: 'x' }, '__proto', /is no option/],
]
for (const [options, path, words] of REFUSED) {
  test(`R30 options ${JSON.stringify(options)} are refused with the place and what is expected`, () => {
    const { problems, parameters } = checkOptions(schema, options)
    assert.deepEqual(parameters, {})
    const problem = problems.find(each => each.path === path)
    assert.match(`${problem?.message} ${problem?.expected}`, words)
  })
}

test('a pattern that takes for ever is given up', () => {
  const slow = { type: 'object', properties: { A: { type: 'string', pattern: '^(a+)+$' } } } as const
  const [problem] = checkOptions(slow, { A: `${'a'.repeat(60)}b` }).problems
  assert.match(problem?.message ?? '', /cannot be compared/)
})

test('what is wrong with the file beside a definition is told with its line, and its options are left out', () => {
  const text = '{\n  "type": "object",\n  "properties": { "PORT": { "type": "intger" } }\n}'
  const { schema: rest, problems } = readOptionsSchema({
    composes: [COMPOSE],
    described: { ...described, text },
  })
  assert.deepEqual(
    [problems[0]?.file, problems[0]?.line, problems[0]?.path],
    [described.file, 3, 'properties.PORT.type'],
  )
  assert.match(problems[0]?.message ?? '', /did you mean "integer"/)
  assert.equal(rest.properties.PORT?.type, 'string')
})
