import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answers } from '#exec/recorder.ts'
import { guardianCheck } from './guardian-check.ts'
import { hostCheck } from './host-check.ts'
import { testHands } from './recorded-hands.test.ts'

const REGISTRY = { address: 'registry.example.org:5000', username: 'fairlead', password: 'x' }
const WELL: Answers = [
  ['GET docker /version', { status: 200, json: { Version: '20.10.24', ApiVersion: '1.41' } }],
  ['docker compose version', { stdout: '2.26.1\n' }],
  ['git version', { stdout: 'git version 2.39.5\n' }],
  ['GET docker /info', { status: 200, json: { DockerRootDir: '/data/docker' } }],
  ['stat ', { missing: false, kind: 'folder', disk: withFree(5e9) }],
  ['POST docker /auth', { status: 200, json: {} }],
]

async function wrong(answers: Answers, registry?: typeof REGISTRY) {
  const hands = testHands([...answers, ...WELL])
  const { checks } = await hostCheck.run(hands, registry ? { registry } : {})
  return checks.filter(({ mend }) => mend !== null)
}

test('R99 a host on which everything is well has nothing to mend', async () => {
  assert.deepEqual(await wrong([], REGISTRY), [])
})

test('R99 a newer Compose than the oldest one is well, with and without the letter before its version', async () => {
  for (const version of ['v2.0.0', '2.40.3', '5.0.1', 'v10.1.0']) {
    assert.deepEqual(await wrong([['docker compose version', { stdout: `${version}\n` }]]), [], version)
  }
})

test('R99 what is wrong with a host is named, with what to do', async () => {
  const cases: readonly (readonly [Answers[number], string, RegExp])[] = [
    [
      ['GET docker /version', { status: 200, json: { Version: '19.03', ApiVersion: '1.40' } }],
      'engine',
      /20\.10/,
    ],
    [['docker compose version', { stdout: '1.29.2\n' }], 'compose', /version 2/],
    [['git version', { stdout: 'git version 2.20.1\n' }], 'git', /2\.30/],
    [['stat /workspace/', { missing: false, disk: withFree(5e8) }], 'disk', /hosts prune box/],
    [['stat /data/docker', { missing: false, disk: withFree(5e8) }], 'engine disk', /hosts prune box/],
    [['stat /workspace/', { missing: true }], 'disk', /hosts prune box/],
    [refusal('x509: certificate signed by unknown authority'), 'registry', /registry trust/],
    [refusal('login attempt failed with status: 401 Unauthorized'), 'registry', /registry passwd/],
    [refusal('dial tcp: connect: connection refused'), 'registry', /registry status/],
  ]
  for (const [answer, name, mend] of cases) {
    const found = await wrong([answer], REGISTRY)
    assert.deepEqual(
      found.map(each => each.name),
      [name],
    )
    assert.match(found[0]?.mend ?? '', mend)
  }
})

test("R99 an engine's folder that the worker does not see, or is not told of, is no fault of the host", async () => {
  const cases: readonly (readonly [Answers[number], RegExp])[] = [
    [['stat /data/docker', { missing: true }], /does not see \/data\/docker/],
    [['stat /data/docker', { error: new Error('EACCES') }], /does not see \/data\/docker/],
    [['GET docker /info', { status: 200, json: {} }], /does not tell/],
    [['GET docker /info', { error: new Error('the engine does not answer') }], /does not tell/],
  ]
  for (const [answer, detail] of cases) {
    const { checks } = await hostCheck.run(testHands([answer, ...WELL]), {})
    const found = checks.find(({ name }) => name === 'engine disk')
    assert.match(found?.detail ?? '', detail)
    assert.equal(found?.mend, null)
  }
})

test('R99 a guardian tells what is left where it keeps its files, and its time', async () => {
  const hands = testHands([['stat /workspace', [{ disk: withFree(5e9) }, { disk: withFree(5e8) }]]])
  const [well, full] = [await guardianCheck.run(hands, {}), await guardianCheck.run(hands, {})]
  assert.deepEqual(well, {
    checks: [{ name: 'disk', detail: '5.0 GB (50 %) free where the guardian keeps its files', mend: null }],
    now: hands.clock.now(),
  })
  assert.match(full.checks[0]?.mend ?? '', /df -h \/workspace" on the machine of box/)
})

test('R99 an Incus that is too old is named where system containers are kept, and asked nowhere else', async () => {
  const answers: Answers = [
    ['GET incus /1.0', { status: 200, json: { metadata: { environment: { server_version: '5.21.1' } } } }],
  ]
  deepEqualNames(await wrong(answers), [])
  const hands = testHands([...answers, ...WELL])
  const systems = { socket: '/incus.sock' } as NonNullable<typeof hands.host.systems>
  const { checks } = await hostCheck.run({ ...hands, host: { ...hands.host, systems } }, {})
  deepEqualNames(
    checks.filter(({ mend }) => mend !== null),
    ['incus'],
  )
})

test('R99 a port of the proxy that another program has is named, and which command shows the program', async () => {
  const servers = { fairlead: { listen: [':80'] }, other: { listen: ['tcp/0.0.0.0:9000'] } }
  const answers: Answers = [
    ['GET http://127.0.0.1:2019/config/', { status: 200, json: { apps: { http: { servers } } } }],
    ['read /proc/self/net/tcp6', { missing: true }],
    ['read /proc/self/net/tcp', { text: socketTable([80, 443]) }],
  ]
  const look = async (more: Answers, about = 'ports') => {
    const hands = testHands([...more, ...answers, ...WELL])
    const proxy = { adminOrigin: 'http://127.0.0.1:2019', httpPort: 80, httpsPort: 443, resolver: '' }
    const { checks } = await hostCheck.run({ ...hands, host: { ...hands.host, proxy } }, {})
    return checks.find(({ name }) => name === about)
  }
  const taken = await look([])
  assert.match(taken?.detail ?? '', /listens on 443$/)
  assert.match(taken?.mend ?? '', /ss -ltnp 'sport = :443'" on box .*FAIRLEAD_PROXY_HTTPS_PORT/)
  const free = await look([['read /proc/self/net/tcp', { text: socketTable([80]) }]])
  assert.deepEqual([free?.detail, free?.mend], ['80 is of the proxy, 443 is free for it', null])
  // A proxy that cannot start because of it answers nothing.
  const silent: Answers = [['GET http://127.0.0.1:2019/config/', { error: new Error('connection refused') }]]
  assert.match((await look(silent))?.detail ?? '', /listens on 80 and 443$/)
  assert.equal((await look([], 'proxy'))?.mend, null)
  assert.equal(typeof (await look(silent, 'proxy'))?.mend, 'string')
})

/** As the kernel writes it; the last line is a connection, which is no listener. */
function socketTable(ports: readonly number[]): string {
  const line = (port: number, state: string) =>
    `   0: 00000000:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 ${state} 00000000:00000000 00:00000000`
  return [
    '  sl  local_address rem_address   st',
    ...ports.map(port => line(port, '0A')),
    line(443, '01'),
  ].join('\n')
}

test('a check that cannot be made is wrong in the words of its error, and the others are made all the same', async () => {
  const found = await wrong([['GET docker /version', { error: new Error('the engine does not answer') }]])
  assert.deepEqual(
    found.map(each => each.name),
    ['engine'],
  )
  assert.notEqual(found[0]?.mend, '')
})

function withFree(freeBytes: number) {
  return { freeBytes, bytes: 1e10, freeInodes: 1, inodes: 1 }
}

function deepEqualNames(found: readonly { readonly name: string }[], names: readonly string[]): void {
  assert.deepEqual(
    found.map(each => each.name),
    names,
  )
}

function refusal(message: string): Answers[number] {
  return ['POST docker /auth', { status: 500, json: { message } }]
}
