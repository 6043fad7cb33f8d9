import { deepEqual, equal, notEqual, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { JOIN_TOKEN_INVALID } from './errors.ts'
import {
  isProvenStatement,
  newJoinToken,
  proveStatement,
  readJoinToken,
  type Statement,
  writeJoinToken,
} from './join-token.ts'

const keyId = 'ab'.repeat(32)

test('a join token is read back as it was written, also with white space around it', () => {
  const token = newJoinToken(keyId)
  deepEqual(readJoinToken(` ${writeJoinToken(token)}\n`), token)
  notEqual(writeJoinToken(newJoinToken(keyId)), writeJoinToken(token))
})

test('what is no join token is refused without being repeated', () => {
  const text = writeJoinToken(newJoinToken(keyId))
  for (const wrong of [
    '',
    'FLD1',
    text.slice(0, -1),
    `${text}A`,
    text.replace('FLD1', 'FLD2'),
    `${text}\n${text}`,
  ]) {
    throws(
      () => readJoinToken(wrong),
      error => JOIN_TOKEN_INVALID.matches(error) && !error.message.includes(text.slice(5, 20)),
      wrong,
    )
  }
})

test('a proof holds for its statement alone', () => {
  const { secret } = newJoinToken(keyId)
  const statement: Statement = { by: 'host', tokenId: 'a', text: 'b', answers: '' }
  const given = proveStatement(secret, statement)
  equal(isProvenStatement(secret, statement, given), true)
  const others: Partial<Statement>[] = [
    { by: 'manager' },
    { tokenId: 'ab' },
    { text: 'c' },
    { answers: 'b' },
    { tokenId: 'b', text: 'a' },
  ]
  for (const other of others) {
    equal(isProvenStatement(secret, { ...statement, ...other }, given), false, JSON.stringify(other))
  }
  equal(isProvenStatement(newJoinToken(keyId).secret, statement, given), false)
  for (const wrong of ['', 'AAAA', `${given}AAAA`, given.slice(4)]) {
    equal(isProvenStatement(secret, statement, wrong), false)
  }
})
