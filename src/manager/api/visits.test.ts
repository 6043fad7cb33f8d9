import { equal, match } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { NAME_OPEN } from '#commands/route-errors.ts'
import { seedApp, testServer } from './test-server.ts'

test('a link for one visit names the place and holds a ticket of which the worker knows only the hash', async t => {
  const manager = await testServer({ answer: () => ({ origins: ['https://churn.example.org'] }) })
  t.after(() => manager.close())
  await seedApp(manager, 'churn')
  const answer = await manager.ask('POST', '/api/v1/apps/churn/visits', { to: '/lab?a=1' })
  equal(answer.statusCode, 201)
  const { url: text, expires_at: expires } = answer.json()
  const url = new URL(text)
  equal(`${url.origin}${url.pathname}`, 'https://churn.example.org/_fairlead/open')
  equal(url.searchParams.get('to'), '/lab?a=1')
  const told = manager.recorded.told[0]
  equal(told?.command, 'route.admit')
  const ticket = url.searchParams.get('s') ?? ''
  equal(ticket.length, 43)
  // Of the token that was shown: with it the visit ends.
  const { id: visitor } = await manager.parts.db.selectFrom('tokens').select('id').executeTakeFirstOrThrow()
  const { until, ...params } = (told?.params ?? {}) as Record<string, unknown>
  equal(
    JSON.stringify(params),
    JSON.stringify({
      name: 'churn',
      ticket: createHash('sha256').update(ticket).digest('hex'),
      visitor,
    }),
  )
  equal(new Date(Number(until)).toISOString(), expires)
})

test('a link opens the address that stands in the repository', async t => {
  const origins = ['https://a.example.org', 'https://churn.example.org:8443']
  const manager = await testServer({ answer: () => ({ origins }) })
  t.after(() => manager.close())
  const { repository } = await seedApp(manager, 'churn')
  const originOf = async () => {
    const answer = await manager.ask('POST', '/api/v1/apps/churn/visits', {})
    return new URL(answer.json().url).origin
  }
  equal(await originOf(), origins[0])
  await manager.parts.db
    .insertInto('notebooks')
    .values({
      ...{
        app: 'churn',
        repository_id: repository,
        folder: 'churn',
        title: 'Churn',
        entry: null,
        notebooks: '[]',
      },
      ...{ language: 'python', tags: '[]', mode: 'lab', status: 'live', url: 'https://churn.example.org/' },
      ...{ commit: null, tree: null, image: null, error: null, seen_commit: 'c', blobs: null, updated_at: 1 },
    })
    .execute()
  equal(await originOf(), origins[1])
})

test('a link leads to no other host, and there is none for an app that is open or not there', async t => {
  const manager = await testServer({
    answer: () => {
      throw NAME_OPEN('shop', 'https://shop.example.org')
    },
  })
  t.after(() => manager.close())
  await seedApp(manager, 'shop')
  const ask = (app: string, body: object) => manager.ask('POST', `/api/v1/apps/${app}/visits`, body)
  for (const to of ['//evil.example', 'https://evil.example', '/\\evil.example', '']) {
    equal((await ask('shop', { to })).statusCode, 422, to)
  }
  const open = await ask('shop', {})
  equal(open.statusCode, 409)
  match(open.json().hint, /Visit https:\/\/shop\.example\.org/)
  equal((await ask('none', {})).statusCode, 404)
})

test('a person without a link gets in with a token, on a page that asks for it', async t => {
  const manager = await testServer({ answer: () => ({ origins: ['https://churn.example.org'] }) })
  t.after(() => manager.close())
  await seedApp(manager, 'churn')
  const ask = (method: 'GET' | 'POST', url: string, token?: string) =>
    manager.server.inject({
      method,
      url,
      ...(token === undefined
        ? {}
        : {
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            payload: new URLSearchParams({ token }).toString(),
          }),
    })
  const page = await ask('GET', '/open/churn')
  equal(page.statusCode, 200)
  match(page.body, /<form method="post">/)
  match((await ask('GET', '/open/%3Cscript%3E')).body, /Open &#60;script&#62;/)
  const entered = await ask('POST', '/open/churn', ` ${manager.token}\n`)
  equal(entered.statusCode, 303)
  match(String(entered.headers.location), /^https:\/\/churn\.example\.org\/_fairlead\/open\?s=/)
  const placeOf = (answer: { readonly headers: { readonly location?: unknown } }) =>
    new URL(String(answer.headers.location)).searchParams.get('to')
  equal(placeOf(await ask('POST', '/open/churn?to=%2Flab%3Fa%3D1', manager.token)), '/lab?a=1')
  equal(placeOf(await ask('POST', '/open/churn?to=%2F%2Fevil.example', manager.token)), null)
  equal((await ask('POST', '/open/none', manager.token)).statusCode, 404)
  const answers = []
  for (let tries = 0; tries < 11; tries++) {
    answers.push((await ask('POST', '/open/churn', `flt_${'x'.repeat(43)}`)).statusCode)
  }
  equal(answers.at(0), 401)
  equal(answers.at(-1), 429)
})
