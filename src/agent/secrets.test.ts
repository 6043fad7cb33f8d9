import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { secretsIn } from './secrets.ts'

const Secret = Type.String({ secret: true })
const Login = Type.Object({ user: Type.String(), password: Secret })

const CASES = [
  ['a property', Type.Object({ token: Secret, name: Type.String() }), { token: 't1', name: 'n' }, ['t1']],
  ['an object inside', Type.Object({ login: Login }), { login: { user: 'u', password: 'p1' } }, ['p1']],
  [
    'a list',
    Type.Array(Login),
    [
      { user: 'u', password: 'p1' },
      { user: 'v', password: 'p2' },
    ],
    ['p1', 'p2'],
  ],
  ['a tuple', Type.Tuple([Type.String(), Secret]), ['open', 's1'], ['s1']],
  ['a record', Type.Record(Type.String(), Secret), { A: 's1', B: 's2' }, ['s1', 's2']],
  ['a union', Type.Union([Type.Null(), Login]), { user: 'u', password: 'p1' }, ['p1']],
  [
    'an intersection',
    Type.Intersect([Type.Object({ a: Type.String() }), Login]),
    { a: 'x', user: 'u', password: 'p' },
    ['p'],
  ],
  ['what is optional and absent', Type.Object({ token: Type.Optional(Secret) }), {}, []],
] as const

for (const [what, schema, value, secrets] of CASES) {
  test(`R01 the secrets of ${what} are found`, () => {
    assert.deepEqual(secretsIn(schema, value), secrets)
  })
}
