import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorLine } from './error-line.ts'

test('R10 the same failure at another time, in another folder and of another command is the same line', () => {
  const at = (time: string, id: string, folder: string) =>
    errorLine({
      message: `The build\n of ${folder}/x failed at ${time} after 3.2 s: pip: no matching distribution for numpyy (${id})`,
    })
  const line = at('2026-11-22T02:00:01Z', '0b7e7f0a-1111-4222-8333-444444444444', '/tmp/a1')
  assert.equal(line, at('2026-11-23 12:10:01', '0b7e7f0a-1111-4222-8333-444444444445', '/var/lib/fairlead/b'))
  assert.match(line, /^The build of … failed at … after …: pip: no matching distribution for numpyy \(…\)$/)
})

test('it says the file and the line, and is never long', () => {
  const problems = [{ path: '', message: 'x', file: 'a/requirements.txt', line: 3 }]
  assert.equal(errorLine({ message: 'No.', problems }), 'No. (a/requirements.txt:3)')
  assert.equal(errorLine({ message: 'a/requirements.txt:3 no', problems }), 'a/requirements.txt:3 no')
  assert.equal(errorLine({ message: 'No.', problems }, 'a'), 'No. (requirements.txt:3)')
  assert.equal(errorLine({ message: 'No.', problems }, 'b'), 'No. (a/requirements.txt:3)')
  const long = errorLine({ message: 'ü'.repeat(500), problems })
  assert.equal([...long].length, 200)
  assert.match(long, /… \(a\/requirements\.txt:3\)$/)
  assert.doesNotMatch(errorLine({ message: 'a\u001b[31mb\u0000c\u2028d' }), /[\p{C}\u2028]/u)
})
