import { deepEqual, equal } from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AskedVisit, answerVisit, isVisit, wishedPlace } from './gate-answer.ts'
import { type CookiePlace, cookieNameOf, readVisit, writeVisit } from './gate-visits.ts'

const KEY = 'k'.repeat(43)
const NOW = 1_000_000
const LATER = { visitor: 'ann', until: NOW + 1, since: NOW - 1, stays: undefined }
const ROOT: CookiePlace = { scheme: 'https', base: '/' }
const COOKIE = `${cookieNameOf(ROOT)}=${writeVisit(LATER, KEY)}`

const ASKED: AskedVisit = {
  method: 'GET',
  uri: '/lab?x=1',
  base: '/',
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
      equal(readVisit(`${cookieNameOf(ROOT)}=${broken}`, { ...ROOT, key: KEY, now: NOW }), undefined)
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

  test('is somebody who looks at a page, and no page that asks by itself', () => {
    const html = 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'
    const asks: readonly [Partial<AskedVisit>, boolean][] = [
      [{ fetchMode: 'navigate' }, true],
      [{ fetchMode: 'cors', accept: html }, false],
      // Browsers tell no mode to an address without TLS.
      [{ scheme: 'http', accept: html }, true],
      [{ scheme: 'http', accept: '*/*', uri: '/api/kernels' }, false],
      [{ scheme: 'http', accept: 'application/json' }, false],
      [{ scheme: 'http' }, false],
      [{ method: 'POST', accept: html }, false],
      [{ isUpgrade: true, accept: html }, false],
    ]
    for (const [asked, expected] of asks) {
      equal(isVisit({ ...ASKED, ...asked }), expected, JSON.stringify(asked))
    }
  })

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

describe('a visit of a name that shares its host', () => {
  const PLACE: CookiePlace = { scheme: 'https', base: '/nb/churn/' }
  const asked: AskedVisit = { ...ASKED, ...PLACE, host: 'notebooks.example.org', uri: '/nb/churn/lab?x=1' }
  const cookie = `__Secure-fairlead-visit=${writeVisit(LATER, KEY)}`

  test('passes with a cookie of its own path, which is no cookie of a whole host', () => {
    equal(answerVisit({ ...asked, cookie }, KEY, NOW).kind, 'pass')
    equal(answerVisit({ ...asked, cookie }, 'of a neighbour', NOW).kind, 'unknown')
    equal(answerVisit({ ...asked, cookie: COOKIE }, KEY, NOW).kind, 'unknown')
    const both = `__Secure-fairlead-visit=${writeVisit(LATER, 'of a neighbour')}; ${cookie}`
    equal(answerVisit({ ...asked, cookie: both }, KEY, NOW).kind, 'pass')
  })

  test('begins with a link below its own path, and is remembered from there', () => {
    const open = (uri: string) => answerVisit({ ...asked, uri }, KEY, NOW)
    deepEqual(open('/nb/churn/_fairlead/open?s=abc&to=/lab'), { kind: 'open', ticket: 'abc', to: '/lab' })
    for (const elsewhere of ['/_fairlead/open?s=abc', '/nb/other/_fairlead/open?s=abc', '/nb/churn']) {
      equal(open(elsewhere).kind, 'unknown', elsewhere)
    }
    equal(wishedPlace(asked), '/lab?x=1')
    equal(wishedPlace({ ...asked, uri: '/nb/churn/_fairlead/open?s=abc' }), '/')
    equal(wishedPlace({ ...asked, uri: '/nb/churn//evil.example' }), '/')
    equal(wishedPlace({ ...asked, uri: '/nb/other/lab' }), '/')
  })
})
