import { deepEqual, match } from 'node:assert/strict'
import { test } from 'node:test'
import { FairleadError } from '#lib/errors.ts'
import { examine } from './examine.ts'
import type { Session } from './session.ts'

const DAY_MS = 86_400_000
const NOTHING = { items: [], next: null, app: null, address: null }
const HOST = {
  ...{ online: true, problem: null, warning: null, guardian: null, advice: null },
  certificate_ends_at: '2030-01-01T00:00:00.000Z',
}
const FIREWALL = { in_sync: true, problem: null, drift: [], wanted: [] }
const REGISTRY = { address: '10.0.0.1:5000', configured_by: 'registry' }
const APP = {
  ...{ name: 'shop', domains: [], paused: null, stopped: false, deployment: null, release: null },
  ...{ observed: { state: 'running', reason: null }, drift: { findings: 0, reason: null } },
}

test('R99 a host is told of by what it is: a guardian that is away is not looked for among the workers', async () => {
  const hosts = [
    { ...HOST, name: 'gate', role: 'guardian', online: false },
    { ...HOST, name: 'wall', role: 'guardian' },
    { ...HOST, name: 'box', role: 'worker', online: false },
  ]
  const client = {
    url: 'http://manager',
    get: async (path: string) => (path === '/hosts' ? { items: hosts } : NOTHING),
  }
  const clock = { now: () => 0 }
  const found = await examine({ client, clock } as unknown as Session)
  deepEqual(
    found
      .filter(({ where }) => ['gate', 'wall', 'box'].includes(where))
      .map(({ where, name, mend }) => [where, name, /fairlead-\w+/.exec(mend ?? '')?.[0]]),
    [
      ['gate', 'guardian', 'fairlead-guardian'],
      ['wall', 'guardian', undefined],
      ['box', 'worker', 'fairlead-worker'],
      ['box', 'guardian', undefined],
    ],
  )
})

test('R99 a certificate that ends, a firewall that is not as wanted and a name without an address are named with what to do', async () => {
  const soon = new Date(29.5 * DAY_MS).toISOString()
  const found = await wrongOf({
    '/hosts': { items: [{ ...HOST, name: 'box', role: 'worker', warning: 'Start it: it renews its own.' }] },
    '/hosts/box/checks': { items: [{ name: 'disk', detail: '0.1 GB free', mend: 'Free some space.' }] },
    '/firewall': {
      items: [
        { ...FIREWALL, guardian: 'away', problem: 'does not answer' },
        { ...FIREWALL, guardian: 'changed', in_sync: false, drift: ['tcp 22 is open'] },
        { ...FIREWALL, guardian: 'well' },
      ],
    },
    '/registry': { ...REGISTRY, app: { name: 'registry', certificate_ends_at: soon } },
    // Nobody can have a name below "invalid"; an address is one without any server of names.
    '/apps': { items: [{ ...APP, domains: ['shop.example.invalid', '::ffff:192.0.2.1', 'shop.internal'] }] },
  })
  deepEqual(
    found.map(({ where, name }) => [where, name]),
    [
      ['box', 'certificate'],
      ['box', 'disk'],
      ['away', 'firewall'],
      ['changed', 'firewall'],
      ['registry', 'certificate'],
      ['shop', 'dns'],
    ],
  )
  const mends = [
    /renews its own/,
    /Free some space/,
    /systemctl start fairlead-guardian/,
    /"fairlead firewall"/,
    /"fairlead registry up"/,
    /Give shop\.example\.invalid an A or AAAA record/,
  ]
  for (const [index, mend] of mends.entries()) {
    match(found[index]?.mend ?? '', mend)
  }
})

test('R99 the disk of the manager is looked at, and its clock beside those of all workers and guardians', async () => {
  const late = { items: [{ name: 'clock', detail: '60 s off', mend: 'NTP' }], skew_ms: 60_000 }
  const found = await wrongOf({
    '/hosts': {
      items: [
        { ...HOST, name: 'box', role: 'worker' },
        { ...HOST, name: 'wall', role: 'guardian' },
        { ...HOST, name: 'old', role: 'guardian' },
      ],
    },
    '/hosts/box/checks': late,
    '/hosts/wall/checks': late,
    '/hosts/old/checks': { items: [{ name: 'clock', detail: 'not told', mend: null }], skew_ms: null },
    '/manager/checks': { items: [{ name: 'disk', detail: '0.1 GB free', mend: 'Free some space.' }] },
  })
  deepEqual(
    found.map(({ where, name }) => `${where} ${name}`),
    ['manager disk', 'box clock', 'wall clock', 'manager clock'],
  )
})

test('R99 what is well in all these is nothing to mend', async () => {
  const later = new Date(30.5 * DAY_MS).toISOString()
  const found = await wrongOf({
    '/hosts': { items: [{ ...HOST, name: 'box', role: 'worker' }] },
    '/firewall': { items: [{ ...FIREWALL, guardian: 'well' }] },
    '/registry': { ...REGISTRY, app: { name: 'registry', certificate_ends_at: later } },
    '/apps': { items: [{ ...APP, domains: ['::ffff:192.0.2.1'] }] },
  })
  deepEqual(found, [])
})

test('R99 each state of an app that is not well, a Git server that refuses and checks that fail have their remedy', async () => {
  const app = (name: string, more: object) => ({ ...APP, name, ...more })
  const error = { message: 'no such image', hint: 'Push it.' }
  const found = await wrongOf({
    '/hosts': { items: [{ ...HOST, name: 'box', role: 'worker' }] },
    '/hosts/box/checks': new FairleadError({
      ...{ code: 'X', message: 'the host does not answer', hint: 'Look there.', retry: 'never', status: 503 },
    }),
    '/registry': { ...REGISTRY, address: null, app: { name: 'registry' } },
    '/apps': {
      items: [
        app('down', { observed: { state: 'missing', reason: null } }),
        app('meant', { observed: { state: 'stopped', reason: null }, stopped: true }),
        app('changed', { drift: { findings: 1, reason: null } }),
        app('paused', { paused: { reason: 'too many' } }),
        app('failed', { deployment: { state: 'failed', error } }),
      ],
    },
    '/repositories': { items: [{ name: 'code' }] },
    '/repositories/code/check': new FairleadError({
      ...{ code: 'Y', message: 'refused', hint: 'Give it a key.', retry: 'never', status: 502 },
    }),
  })
  deepEqual(
    found.map(({ where, name, mend }) => `${where} ${name}: ${mend}`),
    [
      'box checks: Look there.',
      'registry in use: Bring it up: "fairlead deploy registry".',
      'down runs: Deploy it again: "fairlead deploy down".',
      'changed drift: Deploy it again, or let it be repaired: docs/drift.md.',
      'paused paused: When the cause is gone: "fairlead apps resume paused".',
      'failed deployment: Push it.',
      'code git: Give it a key.',
    ],
  )
})

test('R99 a part that cannot be asked is wrong in the words of its error, and hides nothing of the others', async () => {
  const gone = new FairleadError({
    ...{ code: 'X', message: 'no guardian answers', hint: 'Look there.', retry: 'never', status: 503 },
  })
  const found = await wrongOf({
    '/firewall': gone,
    '/hosts': { items: [{ ...HOST, name: 'box', role: 'worker', online: false }] },
  })
  deepEqual(
    found.map(({ where, name, mend }) => `${where} ${name}: ${mend?.split(' ')[0]}`),
    ['box worker: Start', 'manager firewall: Look'],
  )
})

test('R99 every app is looked at, also those behind the first thousand', async () => {
  const names = Array.from({ length: 1_201 }, (_, index) => `app${index}`)
  const pageOf = (query: URLSearchParams) => {
    const from = Number(query.get('cursor') ?? 0)
    const until = from + Number(query.get('limit'))
    const items = names.slice(from, until).map(name => ({
      ...{ ...APP, name },
      ...(name === names.at(-1) ? { observed: { state: 'missing', reason: null } } : {}),
    }))
    return { items, next: until < names.length ? String(until) : null }
  }
  const client = {
    url: 'http://manager',
    get: async (path: string) => {
      const [place, query] = path.split('?')
      return place === '/apps' ? pageOf(new URLSearchParams(query)) : NOTHING
    },
  }
  const found = await examine({ client, clock: { now: () => 0 } } as unknown as Session)
  deepEqual(
    found.filter(({ name }) => name === 'runs').map(({ where }) => where),
    ['app1200'],
  )
})

test('R99 repositories are read eight at once, and one that the role does not allow to read is not wrong', async () => {
  let open = 0
  let most = 0
  const items = Array.from({ length: 20 }, (_, index) => ({ name: `code${index}` }))
  const client = {
    url: 'http://manager',
    get: async (path: string) => (path.startsWith('/repositories') ? { items, next: null } : NOTHING),
    send: async () => {
      open += 1
      most = Math.max(most, open)
      await new Promise(setImmediate)
      open -= 1
      throw new FairleadError({
        ...{ code: 'ROLE_MISSING', message: 'no', hint: 'Ask.', retry: 'never', status: 403 },
      })
    },
  }
  const found = (await examine({ client, clock: { now: () => 0 } } as unknown as Session)).filter(
    ({ name }) => name === 'git',
  )
  deepEqual([most, found.length], [8, 20])
  deepEqual([...new Set(found.map(({ mend }) => mend))], [null])
  match(found[0]?.detail ?? '', /not asked/)
})

/** What is to be mended where the manager answers this; an error is its answer too. */
async function wrongOf(answers: Readonly<Record<string, object>>) {
  const answer = async (path: string) => {
    const found = answers[path.split('?')[0] ?? ''] ?? NOTHING
    if (found instanceof Error) {
      throw found
    }
    return { ...NOTHING, ...found }
  }
  const client = { url: 'http://manager', get: answer, send: (_method: string, path: string) => answer(path) }
  const checks = await examine({ client, clock: { now: () => 0 } } as unknown as Session)
  return checks.filter(({ mend }) => mend !== null)
}
