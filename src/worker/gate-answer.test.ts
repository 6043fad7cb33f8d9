import { deepEqual, equal } from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AskedVisit, answerVisit } from './gate-answer.ts'
import { cookieNameOf, readVisit, writeVisit } from './gate-visits.ts'

const KEY = 'k'.repeat(43)
const NOW = 1_000_000
const LATER = { visitor: 'ann', until: NOW + 1 }
const COOKIE = `${cookieNameOf('https')}=${writeVisit(LATER, KEY)}`

const ASKED: AskedVisit = {
  method: 'GET',
  uri: '/lab?x=1',
  host: 'churn.nb.example.org',
  scheme: 'https',
  isUpgrade: false,
}
const OWN = 'https://churn.nb.example.org'
const NEIGHBOUR = 'https://other.nb.example.org'

describe('a visit of a guarded name', () => {
  const kindOf = (asked: Partial<AskedVisit>, key: string | undefined = KEY) =>
    answerVisit({ ...ASKED, ...asked }, key, NOW).kind

  test('passes with a cookie that was signed for the name and has not ended', () => {
    deepEqual(answerVisit({ ...ASKED, cookie: `a=b; ${COOKIE}` }, KEY, NOW), { kind: 'pass', visit: LATER })
    equal(kindOf({}), 'unknown')
    equal(kindOf({ cookie: COOKIE }, 'other'), 'unknown')
    equal(answerVisit({ ...ASKED, cookie: COOKIE }, undefined, NOW).kind, 'unknown')
    equal(answerVisit({ ...ASKED, cookie: COOKIE }, KEY, NOW + 1).kind, 'unknown')
    equal(kindOf({ cookie: COOKIE.replace('__Host-', '') }), 'unknown', 'a neighbour could have set it')
    for (const broken of ['', '.', 'a', 'a.b', `${writeVisit(LATER, KEY)}x`, `x${writeVisit(LATER, KEY)}`]) {
      equal(
        readVisit(`${cookieNameOf('https')}=${broken}`, { scheme: 'https', key: KEY, now: NOW }),
        undefined,
      )
    }
  })

  const cases: readonly [string, Partial<AskedVisit>, 'pass' | 'foreign'][] = [
    ['a form of its own', { method: 'POST', origin: OWN, fetchSite: 'same-origin' }, 'pass'],
    ['a form of a neighbour', { method: 'POST', origin: NEIGHBOUR, fetchSite: 'same-site' }, 'foreign'],
    ['a form without an origin', { method: 'POST', origin: 'null' }, 'foreign'],
    ['a program with a cookie', { method: 'POST' }, 'pass'],
    ['a fetch of a neighbour', { fetchSite: 'same-site', fetchMode: 'cors' }, 'foreign'],
    ['a picture of a neighbour', { fetchSite: 'same-site', fetchMode: 'no-cors' }, 'foreign'],
    ['a fetch with a neighbour as origin', { origin: NEIGHBOUR }, 'foreign'],
    ['a link on another site', { fetchSite: 'cross-site', fetchMode: 'navigate' }, 'pass'],
    [
      'a form of a neighbour that navigates',
      { method: 'POST', fetchSite: 'same-site', fetchMode: 'navigate' },
      'foreign',
    ],
    ['its own WebSocket', { isUpgrade: true, origin: OWN }, 'pass'],
    ['a WebSocket of a neighbour', { isUpgrade: true, origin: NEIGHBOUR, fetchMode: 'navigate' }, 'foreign'],
    ['a WebSocket from nowhere', { isUpgrade: true }, 'foreign'],
    ['its own page over plain HTTP', { method: 'PUT', origin: 'http://churn.nb.example.org' }, 'foreign'],
  ]
  for (const [what, asked, kind] of cases) {
    test(`${kind === 'pass' ? 'passes' : 'is refused'}: ${what}`, () => {
      equal(kindOf({ cookie: COOKIE, ...asked }), kind)
      equal(kindOf(asked), 'unknown')
    })
  }

  test('begins with a link, and leads nowhere but to the same host', () => {
    const open = (query: string) => answerVisit({ ...ASKED, uri: `/_fairlead/open${query}` }, KEY, NOW)
    deepEqual(open('?s=abc&to=/lab/tree/a.ipynb'), { kind: 'open', ticket: 'abc', to: '/lab/tree/a.ipynb' })
    for (const to of [
      '',
      '?to=//evil.example',
      '?to=/\\evil.example',
      '?to=https://evil.example',
      '?to=/a%0d%0ab',
    ]) {
      deepEqual(open(to), { kind: 'open', ticket: '', to: '/' })
    }
  })
})
