import { deepEqual, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { PASSKEYS_NEED_A_NAME } from './passkey-errors.ts'
import { neededRelyingParty, relyingPartyAt } from './relying-party.ts'

test('passkeys belong to a name that is reached in a secure way', () => {
  deepEqual(relyingPartyAt('https://fairlead.example.org:8443'), {
    id: 'fairlead.example.org',
    origin: 'https://fairlead.example.org:8443',
  })
  deepEqual(relyingPartyAt('http://localhost:7400'), { id: 'localhost', origin: 'http://localhost:7400' })
})

for (const url of [
  'http://fairlead.example.org',
  'https://192.0.2.1',
  'http://127.0.0.1:7400',
  'https://[::1]',
]) {
  test(`${url} can have none`, () => {
    deepEqual(relyingPartyAt(url), undefined)
    throws(
      () => neededRelyingParty(url),
      error => PASSKEYS_NEED_A_NAME.matches(error),
    )
  })
}
