import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Opening } from '#firewall/opening.ts'
import type { HttpRequest } from '#lib/http-request.ts'
import { withNetworks } from '#manager/firewall/address-lists.ts'
import { GUARDIAN_MISSING } from '#manager/firewall/errors.ts'
import { claimOpenings, openingsAt } from '#manager/firewall/openings.ts'
import { tendLists } from '#manager/firewall/tend-lists.ts'
import { withOpenings } from '#manager/pipeline/plan-openings.ts'
import { system } from '#targets/system.ts'
import type { SystemSettings } from '#targets/system-settings.ts'
import type { Plan } from '#targets/target.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'

/** As https://api.github.com/meta answers, shortened; and as https://ip-ranges.atlassian.com does. */
const GITHUB = {
  verifiable_password_authentication: false,
  hooks: [
    '192.30.252.0/22',
    '185.199.108.0/22',
    '140.82.112.0/20',
    '143.55.64.0/20',
    '2a0a:a440::/29',
    '2606:50c0::/32',
  ],
  web: ['192.30.252.0/22'],
  actions: ['4.148.0.0/16', '4.149.0.0/18', '2603:1030:401:30e::/64'],
}
const ATLASSIAN = {
  creationDate: '2026-10-01T00:00:00.000000',
  items: [
    {
      network: '104.192.136.0',
      mask_len: 21,
      cidr: '104.192.136.0/21',
      product: ['bitbucket'],
      direction: ['egress'],
    },
    { network: '2401:1d80:3000::', mask_len: 36, cidr: '2401:1d80:3000::/36', product: ['bitbucket'] },
  ],
}
const HOUR_MS = 3_600_000
const EMPTY_PLAN: Plan = {
  ...{ build: [], push: [], apply: [], verify: [], route: [], watch: [], prune: [], undo: [] },
  ...{ release: {}, changes: [], nothingToDo: true },
}

let manager: TestServer
const asked: string[] = []
/** What the world publishes. */
const published = new Map<string, string | number>()
before(async () => {
  published.set('https://api.github.com/meta', JSON.stringify(GITHUB))
  published.set('https://ip-ranges.atlassian.com/', JSON.stringify(ATLASSIAN))
  manager = await testServer({ hosts: ['local', 'keeper'], http: { send } })
  const { db } = manager.parts
  await db.updateTable('hosts').set({ role: 'guardian' }).where('name', '=', 'keeper').execute()
  await db.updateTable('hosts').set({ guardian: 'keeper' }).where('name', '=', 'local').execute()
})
after(() => manager.close())

async function send({ url }: HttpRequest) {
  asked.push(url)
  const body = published.get(url) ?? 404
  return typeof body === 'number'
    ? { status: body, headers: {}, body: '' }
    : { status: 200, headers: {}, body }
}

const put = (name: string, source: object) => manager.ask('PUT', `/api/v1/firewall/lists/${name}`, source)

test('a list is what a Git host publishes of itself, in as few networks as say the same', async () => {
  const hooks = (await put('github-hooks', { kind: 'github-hooks' })).json()
  assert.deepEqual(hooks.networks, [...GITHUB.hooks].sort(byFamily))
  assert.deepEqual([hooks.count, hooks.problem, hooks.used_by], [6, null, []])
  const actions = (await put('ci', { kind: 'github-actions' })).json()
  assert.deepEqual(actions.networks, ['4.148.0.0/16', '4.149.0.0/18', '2603:1030:401:30e::/64'])
  assert.deepEqual((await put('bitbucket', { kind: 'bitbucket' })).json().networks, [
    '104.192.136.0/21',
    '2401:1d80:3000::/36',
  ])
  published.set('https://example.org/own.txt', '# ours\n8.8.8.0/25 # one half\n8.8.8.128/25\n\n9.9.9.9\n')
  assert.deepEqual((await put('own', { url: 'https://example.org/own.txt' })).json().networks, [
    '8.8.8.0/24',
    '9.9.9.9',
  ])
  const { items } = (await manager.ask('GET', '/api/v1/firewall/lists')).json()
  assert.deepEqual(
    items.map(({ name }: { name: string }) => name),
    ['bitbucket', 'ci', 'github-hooks', 'own'],
  )
})

const WRONG: Readonly<Record<string, string | number>> = {
  'nothing at all': '',
  'a private network': '8.8.8.0/24\n10.1.0.0/16',
  'a network around a private one': '172.0.0.0/8',
  loopback: '::1',
  everybody: '0.0.0.0/0',
  'everybody over IPv6': '2000::/3',
  'half of everybody': '128.0.0.0/1',
  'what is no network': '8.8.8.0/24\n8.8.8.8/24',
  text: '<html>moved</html>',
  'too many': Array.from({ length: 10_001 }, (_, n) => `8.${n >> 8}.${n & 255}.1`).join('\n'),
  'an answer that is none': 302,
}
for (const [what, body] of Object.entries(WRONG)) {
  test(`a list that publishes ${what} is refused whole`, async () => {
    published.set('https://example.org/wrong', body)
    const refused = await put('wrong', { url: 'https://example.org/wrong' })
    assert.equal(refused.json().code, 'ADDRESS_LIST_UNUSABLE')
    assert.equal((await manager.ask('GET', '/api/v1/firewall/lists/wrong')).statusCode, 404)
  })
}

test('ports are open for the networks of a list, as they are now, and it stays while they are', async () => {
  const { app: id } = await seedApp(manager, 'shop')
  const { db } = manager.parts
  const opening: Opening = { protocol: 'tcp', first: 9000, last: 9000, sources: ['@own', '1.2.3.4'] }
  const claim = { app: { id, host: 'local' }, deployment: 'd', openings: [opening] }
  await claimOpenings(db, claim)
  const isOpenFor = async () => (await withNetworks(db, await openingsAt(db, 'keeper')))[0]?.sources
  assert.deepEqual(await isOpenFor(), ['8.8.8.0/24', '9.9.9.9', '1.2.3.4'])
  const [shown] = (await manager.ask('GET', '/api/v1/firewall')).json().items
  assert.deepEqual(shown.wanted[0].sources, ['@own', '1.2.3.4'])

  published.set('https://example.org/own.txt', '7.7.7.0/24')
  await manager.ask('POST', '/api/v1/firewall/lists/own/refresh')
  assert.deepEqual(await isOpenFor(), ['7.7.7.0/24', '1.2.3.4'])
  const kept = await manager.ask('DELETE', '/api/v1/firewall/lists/own')
  assert.deepEqual([kept.statusCode, kept.json().code], [409, 'ADDRESS_LIST_IN_USE'])
  const unknown = { ...claim, openings: [{ ...opening, sources: ['@nobody'] }] }
  await assert.rejects(claimOpenings(db, unknown), { code: 'ADDRESS_LIST_NOT_FOUND' })
  // Nobody, not everybody.
  assert.deepEqual(await withNetworks(db, [{ ...opening, sources: ['@gone'] }]), [])
  await assert.rejects(claimOpenings(db, { ...claim, app: { id, host: 'keeper' } }), GUARDIAN_MISSING.matches)
})

test('R71 ports of system containers are open for named lists too, and a source that is none is refused', async () => {
  const { app: id } = await seedApp(manager, 'ada')
  const { db } = manager.parts
  const ssh = { protocol: 'tcp' as const, host: 22_000, container: 22, sources: [] }
  const settings: SystemSettings = {
    ...{ image: 'debian12', memory_bytes: 2 ** 30, cpus: 1, processes: 500, running: true, restarts: 0 },
    ...{ ports: [ssh], guarded: true, keys: [`ssh-ed25519 ${'A'.repeat(40)}`], snapshots: [] },
  }
  const row = { target: 'system', repository_id: null, overrides: JSON.stringify(settings) }
  await db.updateTable('apps').set(row).where('id', '=', id).execute()
  await db.insertInto('systems').values({ app_id: id, owner: 'ada', created_at: 1 }).execute()
  const change = async (source: string) =>
    await manager.ask('PATCH', '/api/v1/systems/ada', { ports: [{ container: 443, sources: [source] }] })
  for (const [source, status, code] of [
    ['@nobody', 404, 'ADDRESS_LIST_NOT_FOUND'],
    ['@Own!', 422, 'APP_SETTING_WRONG'],
    ['10.0.0.1/8', 422, 'APP_SETTING_WRONG'],
  ] as const) {
    const answer = await change(source)
    assert.deepEqual([answer.statusCode, answer.json().code], [status, code])
  }
  const taken = await change('@own')
  assert.equal(taken.statusCode, 202, taken.body)

  const stored = await db
    .selectFrom('apps')
    .select('overrides')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const wanted = JSON.parse(stored.overrides) as SystemSettings
  const port = wanted.ports.find(({ container }) => container === 443)?.host ?? 0
  const { opens = [] } = withOpenings(EMPTY_PLAN, system.opens?.(wanted as never) ?? [], undefined)
  await claimOpenings(db, { app: { id, host: 'local' }, deployment: 'd', openings: opens })
  const open = await withNetworks(db, await openingsAt(db, 'keeper'))
  assert.deepEqual(open.find(({ first }) => first === port)?.sources, ['7.7.7.0/24'])
  const { used_by: users } = (await manager.ask('GET', '/api/v1/firewall/lists/own')).json()
  assert.deepEqual(users, ['ada', 'shop'])
})

test('lists are read anew when it is time; when that fails the networks of before hold and the list says why', async () => {
  const read = async () => (await manager.ask('GET', '/api/v1/firewall/lists/own')).json()
  const due = async (ms: number) =>
    await manager.parts.db
      .updateTable('address_lists')
      .set({ asked_at: manager.parts.clock.now() - ms })
      .execute()
  const before = await read()
  asked.length = 0
  await tendLists(manager.parts)
  assert.deepEqual(asked, [])
  published.set('https://example.org/own.txt', '10.0.0.0/8')
  await due(6 * HOUR_MS)
  await tendLists(manager.parts)
  assert.equal(asked.length, 4)
  const failed = await read()
  assert.deepEqual([failed.networks, failed.fetched_at], [before.networks, before.fetched_at])
  assert.match(failed.problem, /10\.0\.0\.0\/8 in it is private/)
  published.set('https://example.org/own.txt', '7.7.8.0/24')
  asked.length = 0
  await due(HOUR_MS / 4)
  await tendLists(manager.parts)
  assert.deepEqual(asked, ['https://example.org/own.txt'])
  assert.deepEqual([(await read()).networks, (await read()).problem], [['7.7.8.0/24'], null])
})

function byFamily(one: string, other: string): number {
  const key = (text: string) =>
    text.includes(':')
      ? `6${text}`
      : `4${text
          .split('.')
          .map(part => part.split('/')[0]?.padStart(3, '0'))
          .join()}`
  return key(one) < key(other) ? -1 : 1
}
