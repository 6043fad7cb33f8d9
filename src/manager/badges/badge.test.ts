import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { AppDocument } from '#contract/rest/apps.ts'
import { newId } from '#lib/id.ts'
import { seedApp, type TestServer, testServer } from '#manager/api/test-server.ts'
import { badgeSvg } from './badge.ts'

const SHA = '3d7f0c1'.padEnd(40, '0')
let server: TestServer
let app: string

before(async () => {
  server = await testServer({ environment: { FAIRLEAD_PUBLIC_URL: 'https://fairlead.example.com' } })
  app = (await seedApp(server, 'shop')).app
})

after(() => server.close())

test('R91 a public badge says "build" and the version of the newest release, and when a newer one failed', async () => {
  await server.ask('PATCH', '/api/v1/apps/shop', { badge: 'public' })
  assert.deepEqual(await saysOf('/badges/shop.svg'), ['build', 'none yet'])
  await ended('succeeded')
  assert.deepEqual(await saysOf('/badges/shop.svg'), ['build', '3d7f0c1'])
  await ended('failed')
  assert.deepEqual(await saysOf('/badges/shop.svg'), ['build', '3d7f0c1 · newer failed'])
  const { badge } = (await server.ask('GET', '/api/v1/apps/shop')).json<AppDocument>()
  assert.equal(badge.markdown, '![build](https://fairlead.example.com/badges/shop.svg)')
})

test('strangers cannot tell a private app from one that does not exist', async () => {
  await server.ask('PATCH', '/api/v1/apps/shop', { badge: 'private' })
  const [hidden, missing, odd] = await Promise.all(
    ['shop', 'no-such-app', '%3Cscript%3E'].map(name => get(`/badges/${name}.svg`)),
  )
  assert.equal(hidden?.statusCode, 200)
  assert.match(hidden?.body ?? '', />unknown</)
  for (const other of [missing, odd]) {
    assert.equal(other?.body, hidden?.body)
    assert.deepEqual(withoutId(other?.headers), withoutId(hidden?.headers))
  }
})

test('it may be kept for a minute, and a copy that is right is not sent again', async () => {
  const first = await get('/badges/shop.svg')
  assert.equal(first.headers['cache-control'], 'public, max-age=60')
  const again = await get('/badges/shop.svg', { 'if-none-match': `W/${first.headers.etag}` })
  assert.deepEqual([again.statusCode, again.body], [304, ''])
  const other = await get('/badges/shop.svg', { 'if-none-match': '"another"' })
  assert.equal(other.statusCode, 200)
})

test('L03 whatever the label is, the picture is whole, inert and small', async () => {
  const labels = [
    '"><script>alert(1)</script>',
    ']]>',
    'x'.repeat(10_000),
    '%0d%0aset-cookie:a=b',
    '\u202e\u0000\ud800&amp;',
    `'onload='x`,
  ]
  for (const label of labels) {
    const given = label.startsWith('%') ? label : encodeURIComponent(label.toWellFormed())
    const answer = await get(`/badges/shop.svg?label=${given}`)
    assert.equal(answer.statusCode, 200, label.slice(0, 20))
    assert.equal(answer.headers['content-type'], 'image/svg+xml; charset=utf-8')
    assert.match(String(answer.headers['content-security-policy']), /^default-src 'none'/)
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
    assert.equal(answer.headers['set-cookie'], undefined)
    assertInert(answer.body)
    assert.ok(answer.body.length < 4000, `${answer.body.length} bytes`)
  }
  assert.equal((await get('/badges/shop.svg?label=a&label=b')).statusCode, 200)
})

test('every text fits into its part', () => {
  for (const text of ['3d7f0c1', 'iiii', 'WWWW', '漢字', 'x'.repeat(200)]) {
    const svg = badgeSvg({ label: 'build', text, state: 'good' })
    const [, width = ''] = /^<svg [^>]*width="(\d+)"/.exec(svg) ?? []
    const lengths = [...svg.matchAll(/x="([\d.]+)" textLength="(\d+)"/g)].map(found =>
      found.slice(1).map(Number),
    )
    assert.equal(lengths.length, 4)
    for (const [middle = 0, length = 0] of lengths) {
      assert.ok(length > 0 && middle - length / 2 >= 6 && middle + length / 2 <= Number(width) - 6)
    }
    assertInert(svg)
  }
})

/** Only these elements, and every attribute in its quotes. */
function assertInert(svg: string): void {
  const names = [...svg.matchAll(/<\/?([^\s/>]+)/g)].map(found => found[1] ?? '')
  assert.deepEqual(
    names.filter(name => !['svg', 'title', 'clipPath', 'rect', 'g', 'text'].includes(name)),
    [],
  )
  assert.match(svg.trim(), /^(?:<\/?[A-Za-z]+(?: [A-Za-z-]+="[^"<]*")*\/?>|[^<>]*)+$/)
  assert.doesNotMatch(svg.trim(), /[\p{Cc}\p{Cf}]/u)
  assert.doesNotMatch(svg, /&(?!amp;|lt;|gt;|quot;|#39;)/)
}

async function get(url: string, headers: Record<string, string> = {}) {
  return await server.server.inject({ method: 'GET', url, headers })
}

async function saysOf(url: string): Promise<string[]> {
  const { body } = await get(url)
  return [...body.matchAll(/<text [^>]* y="14">([^<]*)</g)].map(found => found[1] ?? '')
}

function withoutId(headers: object = {}): object {
  return { ...headers, 'x-request-id': '', date: '' }
}

async function ended(state: 'succeeded' | 'failed'): Promise<void> {
  const { db } = server.parts
  const id = newId()
  const row = { id, app_id: app, kind: 'deploy', state, trigger: '{}', cancel_requested: 0 } as const
  await db
    .insertInto('deployments')
    .values({ ...row, created_at: 1 })
    .execute()
  if (state === 'succeeded') {
    const release = { id: newId(), app_id: app, deployment_id: id, commit: SHA, config_hash: '' }
    await db
      .insertInto('releases')
      .values({ ...release, content: '{}', created_at: 1 })
      .execute()
  }
}
