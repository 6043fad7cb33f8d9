import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { collide, publicationsOf } from './publication.ts'

test('what services publish is one form, however it is written', () => {
  deepEqual(
    publicationsOf([
      { published: '8080' },
      { published: '8000-8010', protocol: 'udp', address: '0.0.0.0' },
      { published: '9000', address: '[::1]' },
      { published: '' },
    ]),
    [
      { protocol: 'tcp', first: 8080, last: 8080 },
      { protocol: 'udp', first: 8000, last: 8010 },
      { protocol: 'tcp', first: 9000, last: 9000, address: '::1' },
    ],
  )
})

test('two want the same port unless protocol, port or address keep them apart', () => {
  const port = { protocol: 'tcp', first: 80, last: 90 }
  for (const [other, isSame] of [
    [{ ...port, first: 90, last: 99 }, true],
    [{ ...port, first: 91, last: 99 }, false],
    [{ ...port, protocol: 'udp' }, false],
    [{ ...port, address: '10.0.0.1' }, true],
  ] as const) {
    equal(collide(port, other), isSame)
    equal(collide(other, port), isSame)
  }
  const at = (address: string) => ({ ...port, address })
  equal(collide(at('10.0.0.1'), at('10.0.0.2')), false)
  equal(collide(at('10.0.0.1'), at('10.0.0.1')), true)
})
