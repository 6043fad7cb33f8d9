import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { rolesFrom, rolesText } from './provider-roles.ts'

test('roles by claim are lines, read back as they were', () => {
  const roles = { operators: 'admin', '/teams/a=b': 'viewer' } as const
  equal(rolesText(roles), 'operators = admin\n/teams/a=b = viewer')
  deepEqual(rolesFrom(rolesText(roles)), roles)
  deepEqual(rolesFrom('\n  operators=admin \n'), { operators: 'admin' })
  deepEqual(rolesFrom(''), {})
})

for (const line of ['operators', 'operators = king', '= admin']) {
  test(`"${line}" is no role by claim`, () => {
    equal(rolesFrom(`fine = viewer\n${line}`), undefined)
  })
}
