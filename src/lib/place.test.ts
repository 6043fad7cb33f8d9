import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { addressOfPlace, hostOfPlace, overlaps, PREFIX_PATTERN, placesAt } from './place.ts'

const SHARED = 'notebooks.example.org'

test('two names share a host only where neither has a part of the other', () => {
  for (const [one, other, expected] of [
    [`${SHARED}/nb/churn/`, `${SHARED}/nb/sales/`, false],
    [`${SHARED}/nb/churn/`, `${SHARED}/nb/churn-2/`, false],
    [`${SHARED}/nb/churn/`, `${SHARED}/nb/churn/`, true],
    [`${SHARED}/nb/`, `${SHARED}/nb/churn/`, true],
    [SHARED, `${SHARED}/nb/churn/`, true],
    [SHARED, SHARED, true],
    [SHARED, `${SHARED}.evil.test`, false],
  ] as const) {
    equal(overlaps(one, other), expected, `${one} ${other}`)
    equal(overlaps(other, one), expected, `${other} ${one}`)
  }
})

test('a place is called by its host and what it has of it', () => {
  deepEqual(placesAt({ hosts: ['a.test', 'b.test'] }), ['a.test', 'b.test'])
  deepEqual(placesAt({ hosts: [SHARED], prefix: '/nb/churn/' }), [`${SHARED}/nb/churn/`])
  equal(hostOfPlace(`${SHARED}/nb/churn/`), SHARED)
  equal(hostOfPlace(SHARED), SHARED)
})

test('an address says the port of the proxy where that is another than everybody tries', () => {
  const ports = { httpPort: 8080, httpsPort: 8443 }
  equal(addressOfPlace('shop.example.org'), 'https://shop.example.org/')
  equal(addressOfPlace('shop.example.org', ports), 'https://shop.example.org:8443/')
  equal(addressOfPlace('nb.example.org/nb/churn/', ports), 'https://nb.example.org:8443/nb/churn/')
  equal(addressOfPlace('churn.localhost', ports), 'http://churn.localhost:8080/')
  equal(addressOfPlace('churn.localhost'), 'http://churn.localhost/')
})

test('a prefix is whole folders of plain words', () => {
  const pattern = new RegExp(PREFIX_PATTERN)
  for (const good of ['/nb/churn/', '/nb/', '/a/b/c/d/']) {
    equal(pattern.test(good), true, good)
  }
  for (const bad of ['/', 'nb/', '/nb', '//', '/nb//', '/../', '/nb/*/', '/nb/%2e/', '/nb/{x}/', '/NB/']) {
    equal(pattern.test(bad), false, bad)
  }
})
