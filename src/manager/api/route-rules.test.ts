import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { FastifyRequest } from 'fastify'
import { ROLES, type RoleName } from '#contract/rest/people.ts'
import { asFairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { addProject, setItem, setMember } from '#manager/people/projects.ts'
import { isAtLeast, SCOPE_OF } from '#manager/people/roles.ts'
import { openSession, type Person } from '#manager/people/sessions.ts'
import type { Speaker } from '#manager/people/tokens.ts'
import { OWN_TARGETS } from '#targets/index.ts'
import { authoriser } from './authorise.ts'
import { ROUTE_RULES } from './route-rules.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'

/** Asked without a speaker: each of them checks what it takes itself. */
const OPEN = [
  'GET /health/live',
  'GET /health',
  'POST /health',
  'GET /health/ready',
  'GET /badges/:app.svg',
  'GET /badge/:notebook.svg',
  'POST /preview/:notebook/*',
  'POST /hooks/:hook',
  'GET /open/:app',
  'POST /open/:app',
  'POST /api/v1/token-exchange',
  'POST /api/v1/join',
  'GET /api/v1/sign-in',
  'POST /api/v1/sign-in',
  'GET /sign-in/:provider',
  'GET /sign-in/:provider/callback',
  'POST /api/v1/sign-in/second-factor',
  'POST /api/v1/sign-in/passkey/begin',
  'POST /api/v1/sign-in/passkey',
  'POST /api/v1/first-start',
  'POST /api/v1/invitations',
  'POST /notify',
  'POST /notify/:repository',
  'POST /deploy/:stack',
  'POST /deploy',
]

/** The web interface, the reference and what a hook refuses: they tell nothing and change nothing. */
const HIDDEN = [
  'GET /',
  'GET /*',
  'GET /api/v1/openapi.json',
  'GET /api/v1/docs',
  'GET /api/v1/docs/*',
  ...['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map(method => `${method} /hooks/:hook`),
]

const SOME_ID = '01a1f918-4d66-7304-b64d-f7cb7763c0df'
/** What the routes are about: all of it in the project "team". */
const PATH = {
  app: 'shop',
  system: 'box',
  repository: 'shop-repo',
  id: SOME_ID,
  notebook: 'shop',
  project: 'team',
  name: 'x',
  host: 'local',
  '*': '',
}
const BODY = { repository: 'shop-repo', service_name: 'shop' }

let manager: TestServer
let stranger = ''
before(async () => {
  manager = await testServer()
  const { app, repository } = await seedApp(manager, 'shop')
  await seedApp(manager, 'other')
  const { db } = manager.parts
  const box = await seedApp(manager, 'box')
  await db.updateTable('apps').set({ target: 'system' }).where('id', '=', box.app).execute()
  await db.insertInto('systems').values({ app_id: box.app, owner: 'ada', created_at: 1 }).execute()
  const deployment = { id: SOME_ID, app_id: app, kind: 'deploy', state: 'succeeded' } as const
  await db
    .insertInto('deployments')
    .values({ ...deployment, trigger: '{"kind":"api"}', cancel_requested: 0, created_at: 1 })
    .execute()
  await db
    .insertInto('artifacts')
    .values({
      ...{
        id: SOME_ID,
        app: 'shop',
        repository_id: repository,
        deployment_id: SOME_ID,
        service_name: 'shop',
        version: '1',
      },
      ...{ image: 'shop:1', image_id: null, references: '{}', bytes: null, commit: 'a', created_at: 1 },
    })
    .execute()
  await db
    .insertInto('notebooks')
    .values({
      ...{ app: 'shop', repository_id: repository, folder: '.', title: 'x', notebooks: '[]', language: 'x' },
      ...{ tags: '[]', mode: 'x', status: 'live', seen_commit: 'a', updated_at: 1 },
    })
    .execute()
  await addProject(manager.parts, 'team')
  await addProject(manager.parts, 'elsewhere')
  await setItem(db, 'team', { kind: 'repository', name: 'shop-repo' })
  const person = await someone('stranger@example.org', null)
  await setMember(db, 'elsewhere', { email: person.email, role: 'admin' })
  const session = { personId: person.id, awaitsFactor: false, address: '', program: '' }
  stranger = `__Host-fairlead=${(await openSession(manager.parts, session)).value}`
})
after(() => manager.close())

test('A02 every route is open on purpose or has a row that says who may use it', async () => {
  const routes = [...new Set([...printedRoutes(), ...(await describedRoutes())])]
  const known = [...OPEN, ...HIDDEN, ...Object.keys(ROUTE_RULES)]
  assert.deepEqual(
    routes.filter(route => !known.includes(route)),
    [],
  )
  assert.deepEqual(
    known.filter(route => !routes.includes(route)),
    [],
  )
})

test('A02 viewers change nothing, and settings of the whole manager are changed by admins alone', () => {
  const rules = Object.entries(ROUTE_RULES).filter(([, { where }]) => where !== 'own')
  const ofViewers = rules.filter(([route, { needs }]) => needs === 'viewer' && !route.startsWith('GET '))
  assert.deepEqual(
    ofViewers.map(([route]) => route),
    ['POST /api/v1/apps/:app/visits'],
  )
  const ofAdmins = /^(?!GET).*\/(people|hosts|join-tokens|registry|ci-trusts|organisations|firewall)\b/
  for (const [route, { needs }] of rules.filter(([each]) => ofAdmins.test(each))) {
    assert.equal(needs, route.endsWith('/organisations/:organisation/check') ? 'maintainer' : 'admin', route)
  }
})

for (const role of [null, ...ROLES]) {
  for (const place of ['everywhere', 'in the project'] as const) {
    test(`A02 with ${role ?? 'no role'} ${place} exactly the routes are open that need no more`, async () => {
      const person = await someone(
        `${role}-${place.length}@example.org`,
        place === 'everywhere' ? role : null,
      )
      if (place === 'in the project') {
        await setMember(manager.parts.db, 'team', { email: person.email, role })
      }
      for (const [route, { needs, where }] of Object.entries(ROUTE_RULES)) {
        const isFree = where === 'own' || where === 'somewhere'
        const reaches =
          where === 'system'
            ? role === 'admin' && place === 'everywhere'
            : place === 'everywhere' || where !== 'everywhere'
        const expected = isFree || (reaches && isAtLeast(role, needs))
        const code = await refusalOf(route, speakerFor(person))
        assert.equal(code === undefined, expected, `${route}: ${code}`)
        if (!expected && (where === 'system' || (where !== 'everywhere' && role === null))) {
          assert.match(String(code), /NOT_FOUND|UNKNOWN/, `${route} tells that it is there`)
        } else if (!expected) {
          assert.equal(code, 'ROLE_MISSING', route)
        }
      }
    })
  }
}

test('A02 a token may do what its scopes say and no more, whoever made it', async () => {
  const person = await someone('scoped@example.org', 'admin')
  for (const scope of Object.values(SCOPE_OF)) {
    for (const [route, { needs, where }] of Object.entries(ROUTE_RULES)) {
      const code = await refusalOf(route, { ...speakerFor(person), scopes: [scope] })
      const expected = where === 'own' || SCOPE_OF[needs] === scope ? undefined : 'SCOPE_MISSING'
      assert.equal(code, expected, `${route} with ${scope}`)
    }
  }
})

test('A02 what a member of another project asks is refused by every route as if it were not there', async () => {
  let asked = 0
  for (const [route, { where }] of Object.entries(ROUTE_RULES)) {
    const [method = '', url = ''] = route.split(' ')
    // A browser that is not let in gets a page of its own there.
    if (where === 'own' || where === 'somewhere' || url.startsWith('/preview')) {
      continue
    }
    asked += 1
    const path = url.replace(/:(\w+)/g, (_, key: string) => PATH[key as keyof typeof PATH] ?? SOME_ID)
    const answer = await manager.server.inject({
      method: method as 'GET',
      url: path,
      headers: { cookie: stranger, origin: 'http://127.0.0.1:0', host: '127.0.0.1:0' },
      ...(method === 'GET' ? {} : { payload: BODY }),
    })
    assert.equal(answer.statusCode, where === 'everywhere' ? 403 : 404, `${route}: ${answer.body}`)
  }
  assert.ok(asked > 80, `${asked} routes`)
})

for (const url of [
  '/api/v1/apps',
  '/api/v1/deployments',
  '/api/v1/repositories',
  '/api/v1/artifacts',
  '/api/v1/notebooks',
]) {
  test(`A02 ${url} shows a member of another project nothing, and a member what is theirs`, async () => {
    const answer = await manager.server.inject({ url, headers: { cookie: stranger } })
    assert.deepEqual([answer.statusCode, answer.json().items], [200, []])
    const person = await someone(`${url.split('/').at(-1)}@example.org`, null)
    await setMember(manager.parts.db, 'team', { email: person.email, role: 'viewer' })
    const session = { personId: person.id, awaitsFactor: false, address: '', program: '' }
    const { value } = await openSession(manager.parts, session)
    const own = await manager.server.inject({ url, headers: { cookie: `__Host-fairlead=${value}` } })
    assert.equal(own.json().items.length, 1, own.body)
    assert.doesNotMatch(own.body, /other/)
  })
}

test('A02 the owner of an app may do what maintainers may, with this app alone and as long as they are a member', async () => {
  const person = await someone('owner@example.org', null)
  const { db } = manager.parts
  const change = async () => await refusalOf('PATCH /api/v1/apps/:app', speakerFor(person))
  await setItem(db, 'team', { kind: 'app', name: 'shop', owner: person.email })
  await setMember(db, 'team', { email: person.email, role: 'viewer' })
  assert.equal(await change(), undefined)
  assert.equal(await refusalOf('PATCH /api/v1/repositories/:repository', speakerFor(person)), 'ROLE_MISSING')
  await setMember(db, 'team', { email: person.email, role: null })
  assert.equal(await change(), 'APP_NOT_FOUND')
  assert.equal(await refusalOf('GET /api/v1/apps/:app/logs', speakerFor(person)), 'APP_NOT_FOUND')
})

test('A02 R71 a system is there for its owner and for admins, by all routes, and for nobody else', async () => {
  const person = await someone('keeper@example.org', null)
  const { db } = manager.parts
  const routes = Object.entries(ROUTE_RULES).filter(([, { where }]) => where === 'system')
  assert.ok(routes.length > 8)
  await db.updateTable('systems').set({ owner: person.id }).execute()
  for (const [route] of routes) {
    assert.equal(await refusalOf(route, speakerFor(person)), undefined, route)
    assert.equal(
      await refusalOf(route, { ...speakerFor(person), scopes: ['deploy'] }),
      'SCOPE_MISSING',
      route,
    )
  }
  const cookieOf = async ({ id: personId }: Person) => {
    const session = { personId, awaitsFactor: false, address: '', program: '' }
    return `__Host-fairlead=${(await openSession(manager.parts, session)).value}`
  }
  const cookie = await cookieOf(await someone('maintaining@example.org', 'maintainer'))
  const list = async (url: string, headers: Record<string, string>) =>
    (await manager.server.inject({ url, headers })).json().items.map(({ name }: { name: string }) => name)
  assert.deepEqual(await list('/api/v1/apps', { cookie: await cookieOf(person) }), ['box'])
  assert.deepEqual(await list('/api/v1/apps', { cookie }), ['other', 'shop'])
  const bearer = { authorization: `Bearer ${manager.token}` }
  assert.deepEqual(await list('/api/v1/apps', bearer), ['box', 'other', 'shop'])
  assert.equal(
    (await manager.server.inject({ url: '/api/v1/apps/box', headers: { cookie } })).statusCode,
    404,
  )
})

test('A02 a token of a machine opens no guarded app that it may not see', async () => {
  const tokenFor = async (project: string) => {
    const body = { name: project, machine: { role: 'viewer', project } }
    return (await manager.ask('POST', '/api/v1/tokens', body)).json().token
  }
  const open = async (token: string) =>
    await manager.server.inject({
      method: 'POST',
      url: '/open/shop',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: `token=${token}`,
    })
  const [foreign, own] = [await open(await tokenFor('elsewhere')), await open(await tokenFor('team'))]
  assert.equal(foreign.statusCode, 401)
  assert.notEqual(own.statusCode, 401)
})

for (const target of OWN_TARGETS.map(({ name }) => name)) {
  test(`A02 only an admin everywhere acts on an app of the target ${target}, by whatever route`, async () => {
    const { db } = manager.parts
    await db.updateTable('apps').set({ target }).where('name', '=', 'shop').execute()
    const [maintainer, admin, member] = [
      await someone(`maintainer-${target}@example.org`, 'maintainer'),
      await someone(`admin-${target}@example.org`, 'admin'),
      await someone(`member-${target}@example.org`, null),
    ]
    await setMember(db, 'team', { email: member.email, role: 'admin' })
    const ofApps = /^POST \/api\/v1\/artifacts|^[A-Z]+ \/api\/v1\/(apps\/|deployments\/|artifacts\/)/
    const routes = Object.entries(ROUTE_RULES).filter(([route]) => ofApps.test(route))
    for (const [route, { needs }] of routes) {
      const refusal = needs === 'viewer' ? undefined : 'ROLE_MISSING'
      assert.equal(await refusalOf(route, speakerFor(maintainer)), refusal, route)
      assert.equal(await refusalOf(route, speakerFor(member)), refusal, route)
      assert.equal(await refusalOf(route, speakerFor(admin)), undefined, route)
      const scoped = { ...speakerFor(admin), scopes: [SCOPE_OF[needs]] }
      const beyond = needs === 'admin' ? undefined : refusal && 'SCOPE_MISSING'
      assert.equal(await refusalOf(route, scoped), beyond, route)
    }
    await db.updateTable('apps').set({ target: 'container' }).where('name', '=', 'shop').execute()
  })
}

async function refusalOf(route: string, speaker: Speaker): Promise<string | undefined> {
  const [method = '', url = ''] = route.split(' ')
  const request = { method, routeOptions: { url }, params: PATH, body: BODY, speaker }
  try {
    await authoriser(manager.parts)(request as unknown as FastifyRequest)
    return undefined
  } catch (error) {
    return asFairleadError(error).code
  }
}

function speakerFor(person: Person): Speaker {
  return { tokenId: newId(), name: person.name, role: person.role, person }
}

async function someone(email: string, role: RoleName | null): Promise<Person> {
  return await manager.parts.db
    .insertInto('people')
    .values({ id: newId(), name: email, email, role, created_at: 1 })
    .returningAll()
    .executeTakeFirstOrThrow()
}

async function describedRoutes(): Promise<string[]> {
  const { paths } = (await manager.server.inject({ url: '/api/v1/openapi.json' })).json()
  return Object.entries(paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map(
      method => `${method.toUpperCase()} ${path.replace('{*}', '*').replaceAll(/\{(\w+)\}/g, ':$1')}`,
    ),
  )
}

/** Those that are not described, too: the server prints them as a tree of parts of paths, without some that end in anything. */
function printedRoutes(): string[] {
  const parents: string[] = []
  const lines = manager.server.printRoutes({ commonPrefix: false }).trimEnd().split('\n')
  return lines.flatMap(line => {
    const [, indent = '', part = '', methods = ''] =
      /^([│ ]*)[├└]── (.+?)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? []
    const depth = indent.length / 4
    const path = `${parents[depth - 1] ?? ''}${part}`.replace(/[^/](?=\*$)/, '$&/')
    parents.splice(depth, parents.length, path)
    return methods.split(', ').flatMap(method => (method === '' ? [] : `${method} ${path}`))
  })
}
