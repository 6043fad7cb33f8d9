import { deepEqual, equal } from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { notebookApps } from '#deploy-file/notebook-apps.ts'
import { AGENT_OFFLINE } from '#manager/agents/errors.ts'
import { seedApp, type TestServer, testServer } from '#manager/api/test-server.ts'
import { createMissingApps } from '#manager/apps/create-missing.ts'
import type { FoundProject } from '#targets/notebook-project.ts'
import { LED_MS, noteContents } from './moves.ts'
import { settleRedirects } from './redirects.ts'

const OLD = 'churn'
const AT = `${OLD}.nb.example.org`

let server: TestServer
let repository: string
let isAway: boolean
let failed: Map<string, number>
let later: number

beforeEach(async () => {
  isAway = false
  failed = new Map()
  later = 0
  server = await testServer({
    answer(command) {
      if (command === 'route.redirect' && isAway) {
        throw AGENT_OFFLINE('local', '')
      }
    },
  })
  repository = (await seedApp(server, 'seed')).repository
  await described([project(OLD, 'a/churn', 'one'), project('other', 'other', 'two')])
  await serves(OLD, AT)
})
afterEach(() => server.close())

describe('the old address of a notebook', () => {
  test('leads to the new one when its folder got another slug: once nothing serves there, and the new one does', async () => {
    await described([project('sales', 'a/churn', 'changed'), project('other', 'other', 'two')])
    deepEqual(await told(), [], 'the old one is still there')
    await gone(OLD)
    deepEqual(await told(), [], 'the new one is not there yet')
    await serves('sales', 'sales.nb.example.org')
    isAway = true
    deepEqual(await told(), [move('sales.nb.example.org')])
    isAway = false
    deepEqual(await told(), [move('sales.nb.example.org')], 'the host was away')
    deepEqual(await told(), [], 'it is told once')
    later = 3_600_001
    deepEqual(await told(), [move('sales.nb.example.org')], 'and again for a proxy that forgot')
  })

  test('leads to the folder that its files are in now, and not to a copy of them', async () => {
    await described([project(OLD, 'a/churn', 'one'), project('copy', 'copy', 'one')])
    await gone(OLD)
    await serves('copy', 'copy.nb.example.org')
    deepEqual(await told(), [])
    await described([project('b-churn', 'b/churn', 'one')])
    await described([project(OLD, 'a/churn', 'one')])
    await serves(OLD, AT)
    await described([project('c-churn', 'c/churn', 'one')])
    await gone(OLD)
    await serves('c-churn', 'c.nb.example.org')
    deepEqual(await told(), [move('c.nb.example.org')])
  })

  test('moves on with a notebook that moves again', async () => {
    await renamed('sales')
    deepEqual(await told(), [move('sales.nb.example.org')])
    await described([project('sold', 'a/churn', 'one')])
    await gone('sales')
    await serves('sold', 'sold.nb.example.org')
    const first = { ...move('sold.nb.example.org') }
    const second = { ...first, name: 'sales', hosts: ['sales.nb.example.org'] }
    deepEqual(await told(), [first, second])
  })

  test('ends after 30 days', async () => {
    await renamed('sales')
    deepEqual(await told(), [move('sales.nb.example.org')])
    later = LED_MS + 1
    isAway = true
    deepEqual(await told(), [{ name: OLD, hosts: [] }])
    equal(await rows(), 1, 'its host has not heard it')
    isAway = false
    deepEqual(await told(), [{ name: OLD, hosts: [] }])
    equal(await rows(), 0)
  })

  test('ends at once when another project takes the slug, and does not come back with the end of that one', async () => {
    await renamed('sales')
    deepEqual(await told(), [move('sales.nb.example.org')])
    await described([project(OLD, 'new/churn', 'three'), project('sales', 'a/churn', 'one')])
    deepEqual(await told(), [{ name: OLD, hosts: [] }])
    await gone(OLD)
    deepEqual([await told(), await rows()], [[], 0])
  })

  test('ends at once when another app takes the host', async () => {
    await renamed('sales')
    await told()
    await claim('other', AT)
    deepEqual(await told(), [{ name: OLD, hosts: [] }])
  })

  test('below a host that notebooks share leads from part to part', async () => {
    await server.parts.db.deleteFrom('domains').execute()
    await claim(OLD, 'nb.example.org/nb/churn/')
    await described([project('sales', 'a/churn', 'one')])
    await gone(OLD)
    await serves('sales', 'nb.example.org/nb/sales/')
    deepEqual(await told(), [
      {
        ...{ name: OLD, hosts: ['nb.example.org'], prefix: '/nb/churn/' },
        to: { host: 'nb.example.org', prefix: '/nb/sales/' },
      },
    ])
  })

  test("its badge and its pages are those of the new one, until the slug is somebody else's", async () => {
    await renamed('sales')
    const page = await server.server.inject({ url: `/preview/${OLD}/more/b%20c.ipynb?x=1` })
    deepEqual([page.statusCode, page.headers.location], [308, '../../sales/more/b%20c.ipynb?x=1'])
    const top = await server.server.inject({ url: `/preview/${OLD}/` })
    deepEqual([top.headers.location, top.headers['cache-control']], ['../sales/', 'no-store'])
    const badge = async () => (await server.server.inject({ url: `/badge/${OLD}.svg` })).body
    const isLive = async () => (await badge()).includes('live')
    equal(await isLive(), true)
    await noteRow(OLD, 'failed', null)
    equal((await server.server.inject({ url: `/preview/${OLD}/` })).statusCode, 401)
    equal(await isLive(), false)
  })
})

/** What the workers were told since the last time. */
async function told(): Promise<unknown[]> {
  const before = server.recorded.told.length
  const { clock } = server.parts
  await settleRedirects({ ...server.parts, clock: { ...clock, now: () => clock.now() + later } }, failed)
  return server.recorded.told.slice(before).map(({ params }) => params)
}

async function rows(): Promise<number> {
  return (await server.parts.db.selectFrom('notebook_moves').selectAll().execute()).length
}

function move(to: string) {
  return { name: OLD, hosts: [AT], to: { host: to } }
}

async function renamed(slug: string): Promise<void> {
  await described([project(slug, 'a/churn', 'one')])
  await gone(OLD)
  await serves(slug, `${slug}.nb.example.org`)
}

function project(slug: string, folder: string, contentHash: string): FoundProject {
  return {
    ...{ slug, folder, title: slug, serves: true, notebooks: 1, entry: 'a.ipynb', settings: {} },
    ...{ contentHash, problems: [] },
  }
}

/** A commit, as far as it makes apps. */
async function described(projects: readonly FoundProject[]): Promise<void> {
  const { db } = server.parts
  const row = await db
    .selectFrom('repositories')
    .selectAll()
    .where('id', '=', repository)
    .executeTakeFirstOrThrow()
  await createMissingApps(server.parts, row, notebookApps(projects).apps)
  await noteContents(db, repository, projects)
}

async function gone(app: string): Promise<void> {
  await server.parts.db.deleteFrom('apps').where('name', '=', app).execute()
  await server.parts.db.deleteFrom('notebooks').where('app', '=', app).execute()
}

async function serves(app: string, place: string): Promise<void> {
  await claim(app, place)
  await noteRow(app, 'live', `https://${place}${place.endsWith('/') ? '' : '/'}`)
}

async function claim(app: string, host: string): Promise<void> {
  const { db } = server.parts
  const { id } = await db.selectFrom('apps').select('id').where('name', '=', app).executeTakeFirstOrThrow()
  await db.insertInto('domains').values({ host, app_id: id }).execute()
}

async function noteRow(app: string, status: 'live' | 'failed', url: string | null): Promise<void> {
  await server.parts.db
    .insertInto('notebooks')
    .values({
      ...{
        app,
        repository_id: repository,
        folder: app,
        title: app,
        entry: 'a.ipynb',
        mode: 'lab',
        status,
        url,
      },
      ...{ notebooks: '["a.ipynb"]', language: 'python', tags: '[]', commit: 'c', seen_commit: 'c' },
      updated_at: 1,
    })
    .execute()
}
