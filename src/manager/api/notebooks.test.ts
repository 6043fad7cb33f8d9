import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { NotebookDocument } from '#contract/rest/notebooks.ts'
import { toWire } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { NOTEBOOK_BROKEN } from '#previews/errors.ts'
import { renderNotebook } from '#previews/render-notebook.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const NOTEBOOK = {
  cells: [
    { cell_type: 'markdown', source: '# Churn <script>alert(1)</script>' },
    { cell_type: 'code', source: '', outputs: [{ output_type: 'display_data', data: { 'image/png': PNG } }] },
  ],
}
const COMMIT = 'c'.repeat(40)
const BLOB = 'b'.repeat(40)

let server: TestServer
let isDown = false

before(async () => {
  server = await testServer({
    environment: { FAIRLEAD_PUBLIC_URL: 'https://nb.example.org' },
    answer(command, params) {
      if (isDown) {
        throw new Error('down')
      }
      if (command === 'notebook.picture') {
        return { picture: null }
      }
      return command === 'repository.trees'
        ? treesFor(params as { paths: string[] })
        : partOf(params as { from?: number })
    },
  })
  for (const name of ['churn', 'sales']) {
    const { repository } = await seedApp(server, name)
    await server.parts.db
      .insertInto('notebooks')
      .values({
        ...{ app: name, repository_id: repository, folder: `reports/${name}`, title: `About ${name}` },
        ...{ entry: 'a.ipynb', notebooks: '["a.ipynb","more/b c.ipynb"]', language: 'python' },
        ...{
          tags: JSON.stringify([`tag-${name}`]),
          mode: 'lab',
          status: 'live',
          url: `https://${name}.example.org/`,
        },
        ...{ commit: COMMIT, seen_commit: COMMIT, updated_at: 1 },
      })
      .execute()
  }
})

after(() => server.close())

test('R10 R11 the list has what a gallery is made of, by words and page by page', async () => {
  const { items } = (await server.ask('GET', '/api/v1/notebooks')).json<{ items: NotebookDocument[] }>()
  assert.deepEqual(
    items.map(({ slug, url, server }) => [slug, url, server]),
    [
      ['churn', 'https://churn.example.org/', 'live'],
      ['sales', 'https://sales.example.org/', 'live'],
    ],
  )
  const [churn] = items
  assert.equal(churn?.preview, 'https://nb.example.org/preview/churn/')
  assert.equal(churn?.notebooks[1]?.preview, 'https://nb.example.org/preview/churn/more/b%20c.ipynb')
  const slugs = async (query: string) =>
    (await server.ask('GET', `/api/v1/notebooks?${query}`)).json<{
      items: NotebookDocument[]
      next: string
    }>()
  for (const query of [
    'search=SALES',
    'search=about%20tag-sales',
    'tag=tag-sales',
    `repository=${items[1]?.repository}`,
    'cursor=churn',
  ]) {
    assert.deepEqual(
      (await slugs(query)).items.map(({ slug }) => slug),
      ['sales'],
      query,
    )
  }
  assert.equal((await slugs('limit=1')).next, 'churn')
  assert.deepEqual((await slugs('search=%25nothing')).items, [])
})

test('R10 a preview needs the token, does nothing, and is made once', async () => {
  assert.equal((await get('/preview/churn/')).statusCode, 401)
  const page = await server.ask('GET', '/preview/churn/')
  assert.equal(page.statusCode, 200)
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
  assert.match(String(page.headers['content-security-policy']), /^default-src 'none'; .*sandbox/)
  assert.equal(page.headers['x-content-type-options'], 'nosniff')
  assert.match(page.body, /<h1>Churn <\/h1>|<h1>Churn<\/h1>/)
  assert.doesNotMatch(page.body, /<script/)
  assert.match(page.body, /<a href="\.\/more\/b%20c\.ipynb">/)
  const asked = server.recorded.told.length
  assert.ok((await server.ask('GET', '/preview/churn/more/b%20c.ipynb')).body.includes('href="./../a.ipynb"'))
  assert.equal(server.recorded.told.length, asked, 'both are the same file')
  assert.equal((await server.ask('GET', '/preview/churn/none.ipynb')).statusCode, 404)
  assert.equal((await server.ask('GET', '/preview/nobody/')).statusCode, 404)
})

test('R10 a browser without a token is asked for one, and is let in to previews alone', async () => {
  const accept = { accept: 'text/html,*/*' }
  const url = '/preview/churn/more/b%20c.ipynb'
  const asked = await get(url, accept)
  assert.equal(asked.statusCode, 401)
  assert.match(asked.body, /<form method="post">/)
  const answer = async (token: string) =>
    await server.server.inject({
      ...{ method: 'POST', url, payload: new URLSearchParams({ token }).toString() },
      headers: { ...accept, 'content-type': 'application/x-www-form-urlencoded' },
    })
  const refused = await answer('flt_wrong')
  assert.deepEqual([refused.statusCode, refused.headers['set-cookie']], [401, undefined])
  const let_in = await answer(server.token)
  assert.deepEqual([let_in.statusCode, let_in.headers.location], [303, './b%20c.ipynb'])
  const set = String(let_in.headers['set-cookie'])
  assert.match(set, /; Max-Age=43200; Path=\/preview; HttpOnly; SameSite=Lax; Secure$/)
  assert.doesNotMatch(set, new RegExp(server.token))
  const cookie = set.split(';')[0] ?? ''
  assert.equal((await get(url, { cookie })).statusCode, 200)
  assert.equal((await get('/api/v1/notebooks', { cookie })).statusCode, 401)
  assert.equal((await get(url, { cookie: `${cookie}x` })).statusCode, 401)
  await server.parts.db.updateTable('tokens').set({ expires_at: 1 }).execute()
  assert.equal((await get(url, { cookie })).statusCode, 401, 'its token has ended')
  await server.parts.db.updateTable('tokens').set({ expires_at: null }).execute()
})

test('R10 beside its previews stands what its last deployment that failed printed, and why it failed', async () => {
  const accept = { accept: 'text/html,*/*' }
  assert.match((await get('/preview/churn/log', accept)).body, /<form method="post">/)
  assert.equal((await get('/preview/churn/log')).statusCode, 401)
  assert.equal((await server.ask('GET', '/preview/churn/log')).statusCode, 404, 'it was never deployed')
  const { id: appId } = await server.parts.db
    .selectFrom('apps')
    .select('id')
    .where('name', '=', 'churn')
    .executeTakeFirstOrThrow()
  for (const [at, state] of (['failed', 'succeeded'] as const).entries()) {
    const id = newId()
    const error = toWire(NOTEBOOK_BROKEN('line 3'))
    await server.parts.db
      .insertInto('deployments')
      .values({
        ...{ id, app_id: appId, kind: 'deploy', state, trigger: '{"kind":"poll","by":"x"}' },
        ...{ created_at: at, cancel_requested: 0, error: state === 'failed' ? JSON.stringify(error) : null },
      })
      .execute()
    const text = `it ${state} \u001b[31m<script>`
    await server.parts.logs.append(id, [{ at, step: 'build', stream: 'stdout', text }])
  }
  const log = await server.ask('GET', '/preview/churn/log')
  assert.equal(log.statusCode, 200)
  assert.equal(log.headers['content-type'], 'text/plain; charset=utf-8')
  assert.match(
    log.body,
    /^churn: deployment .*failed\n.*line 3.*\n[\s\S]*\n\n.* build +it failed <script>\n$/,
  )
  assert.doesNotMatch(log.body, /it succeeded/)
})

test('what an environment resolved to is told of the newest release', async () => {
  assert.equal((await server.ask('GET', '/api/v1/notebooks/sales/packages')).statusCode, 404)
  const { id: appId } = await server.parts.db
    .selectFrom('apps')
    .select('id')
    .where('name', '=', 'sales')
    .executeTakeFirstOrThrow()
  const told = { tool: 'pip freeze', readAt: 0, lines: ['pandas==2.2.3'], isCut: false }
  for (const packages of [null, told]) {
    const id = newId()
    await server.parts.db
      .insertInto('deployments')
      .values({
        ...{ id, app_id: appId, kind: 'deploy', state: 'succeeded', trigger: '{"kind":"poll","by":"x"}' },
        ...{ created_at: 1, cancel_requested: 0 },
      })
      .execute()
    await server.parts.db
      .insertInto('releases')
      .values({
        ...{ id: newId(), app_id: appId, deployment_id: id, commit: COMMIT, target: 'notebook' },
        ...{ settings_sealed: '', config_hash: 'c'.repeat(64), created_at: 1 },
        content: JSON.stringify({ notebook: { environment: 'e-1' } }),
      })
      .execute()
    if (packages) {
      const row = { app_id: appId, environment: 'e-1', packages: JSON.stringify(packages), read_at: 1 }
      await server.parts.db.insertInto('notebook_packages').values(row).execute()
    }
    const answer = await server.ask('GET', '/api/v1/notebooks/sales/packages')
    assert.equal(answer.statusCode, 200, answer.body)
    const { tool, read_at: at, packages: lines, environment } = answer.json()
    assert.deepEqual(
      [environment, tool, at, lines],
      packages
        ? ['e-1', 'pip freeze', '1970-01-01T00:00:00.000Z', ['pandas==2.2.3']]
        : ['e-1', null, null, []],
    )
  }
})

test('what stands in the name of a notebook leads nowhere else', async () => {
  const names = ['#1 intro.ipynb', 'why?.ipynb', 'http:evil.example.ipynb', '100%.ipynb', 'a/../b.ipynb']
  await server.parts.db
    .updateTable('notebooks')
    .set({ notebooks: JSON.stringify(names), blobs: null })
    .where('app', '=', 'sales')
    .execute()
  const { notebooks } = (await server.ask('GET', '/api/v1/notebooks/sales')).json<NotebookDocument>()
  for (const [at, path] of names.slice(0, 4).entries()) {
    const url = new URL(notebooks[at]?.preview ?? '')
    assert.deepEqual([url.hash, url.search], ['', ''], path)
    const page = await server.ask('GET', url.pathname)
    assert.equal(page.statusCode, 200, path)
    const hrefs = [...page.body.matchAll(/<a href="([^"]+)">/g)].map(
      ([, href = '']) => new URL(href, url).href,
    )
    assert.deepEqual(
      hrefs.slice(0, 3),
      notebooks
        .filter(each => each.path !== path)
        .map(each => each.preview)
        .slice(0, 3),
    )
  }
})

test('a thumbnail is the first picture, or a card while nobody can make one', async () => {
  const picture = await server.ask('GET', '/api/v1/notebooks/churn/thumbnail')
  assert.deepEqual([picture.statusCode, picture.headers['content-type']], [200, 'image/png'])
  assert.deepEqual(picture.rawPayload, Buffer.from(PNG, 'base64'))
  isDown = true
  await server.parts.db.deleteFrom('notebook_previews').execute()
  const card = await server.ask('GET', '/api/v1/notebooks/churn/thumbnail')
  isDown = false
  assert.equal(card.headers['content-type'], 'image/svg+xml; charset=utf-8')
  assert.match(card.body, />About churn</)
  assert.equal(card.headers['x-content-type-options'], 'nosniff')
})

test('R10 the badge of a notebook says one word to everybody, and never an old one', async () => {
  const live = await get('/badge/churn.svg')
  assert.match(live.body, />notebook<.*>live</)
  assert.equal(live.headers['cache-control'], 'no-cache')
  assert.equal(live.headers['set-cookie'], undefined)
  assert.equal(
    (await get('/badge/churn.svg', { 'if-none-match': String(live.headers.etag) })).statusCode,
    304,
  )
  await server.parts.db
    .updateTable('notebooks')
    .set({ status: 'failed' })
    .where('app', '=', 'churn')
    .execute()
  const failed = await get('/badge/churn.svg', { 'if-none-match': String(live.headers.etag) })
  assert.match(failed.body, />failed</)
  assert.match((await get('/badge/churn.svg?launch=1')).body, />open<.*>notebook</)
  assert.match((await get('/badge/%3Cscript%3E.svg')).body, />unknown</)
})

async function get(url: string, headers: Record<string, string> = {}) {
  return await server.server.inject({ method: 'GET', url, headers })
}

function treesFor({ paths }: { paths: string[] }) {
  return { ids: Object.fromEntries(paths.map(path => [path, BLOB])) }
}

/** In two parts, as a large one comes. */
function partOf({ from = 0 }: { from?: number }) {
  const content = gzipSync(JSON.stringify(renderNotebook(JSON.stringify(NOTEBOOK)))).toString('base64')
  const part = content.slice(from, from === 0 ? 40 : undefined)
  return { part, total: content.length, rest: from === 0 ? 'd'.repeat(40) : null }
}
