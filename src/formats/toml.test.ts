import { deepEqual, equal, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { parseToml, TomlFault, tableIn, textIn, textsIn } from './toml.ts'

const plain = (text: string) => JSON.parse(JSON.stringify(parseToml(text)))

test('tables, lists of tables, dotted keys and inline tables nest as TOML says', () => {
  deepEqual(
    plain('a.b = 1\n[c]\nd = {e = [1, 2,\n 3], "f g" = true}\n[[h]]\ni = 1\n[[h]]\ni = 2\n[h.j]\nk = 1.5\n'),
    {
      a: { b: 1 },
      c: { d: { e: [1, 2, 3], 'f g': true } },
      h: [{ i: 1 }, { i: 2, j: { k: 1.5 } }],
    },
  )
})

test('the four kinds of text are read with their escapes', () => {
  const text = `a = "x\\t\\u00e9 # \\"y\\"" # c\nb = 'C:\\no'\nc = """\none \\\n   two"""" \nd = '''\nit's'''\n`
  deepEqual(plain(text), { a: 'x\té # "y"', b: 'C:\\no', c: 'one two"', d: "it's" })
})

test('numbers, dates and Windows line ends are read', () => {
  deepEqual(plain('a = 1_000\r\nb = 0xff\r\nc = -2e3\r\nd = 2025-07-01 10:00:00Z\r\ne = 2025-07-01\r\n'), {
    a: 1000,
    b: 255,
    c: -2000,
    d: '2025-07-01T10:00:00.000Z',
    e: '2025-07-01',
  })
})

const BROKEN = [
  { text: 'a = 1\na = 2\n', line: 2 },
  { text: '[a]\n[a]\n', line: 2 },
  { text: '\n\na = "x\n', line: 3 },
  { text: 'a = \n', line: 1 },
  { text: 'a = [1, 2\n', line: 2 },
  { text: 'a = 1 b = 2', line: 1 },
  { text: 'a = maybe', line: 1 },
  { text: `a = ${'['.repeat(200)}`, line: 1 },
]
for (const { text, line } of BROKEN) {
  test(`the line of what is no TOML is named: ${JSON.stringify(text.slice(0, 20))}`, () => {
    throws(
      () => parseToml(text),
      error => error instanceof TomlFault && error.line === line,
    )
  })
}

test('a key can be called after what every object has', () => {
  const table = parseToml('__proto__ = {x = "y"}\n[constructor]\nlist = ["a", 1]\n')
  equal(textIn(tableIn(table, '__proto__'), 'x'), 'y')
  equal(({} as Record<string, unknown>).x, undefined)
  deepEqual(textsIn(tableIn(table, 'constructor'), 'list'), ['a'])
  deepEqual({ ...tableIn(table, 'toString') }, {})
})
