import { deepEqual, equal, match, notEqual, ok, throws } from 'node:assert/strict'
import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ensureBaseImage } from '#cli/demo/base-image.ts'
import type { AppDocument } from '#contract/rest/apps.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import type { PruneDocument } from '#contract/rest/host-prune.ts'
import type { HostDocument } from '#contract/rest/hosts.ts'
import type { StackDocument } from '#contract/rest/stacks.ts'
import { readEngines } from '#worker/engines-file.ts'
import { command, mustRun } from '#world/command.ts'
import { type CertificateFolder, createAuthority } from '#world/engine-certificates.ts'
import { startSecondEngine } from '#world/second-engine.ts'
import { startSystem } from '#world/system.ts'
import { temporaryFolder } from '#world/temporary-folder.ts'
import { until } from '#world/traces.ts'

const FAR = `far-${process.pid}`
const SHOP = `shop-${process.pid}`
const SWARM = `swarm-${process.pid}`
const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
// The same engine behind further ports: for clients whose certificates are wrong.
const second = await startSecondEngine(stack, {
  args: ip => ['--host', `tcp://${ip}:2377`, '--host', `tcp://${ip}:2378`],
})
const folder = await temporaryFolder(stack)
const stranger = await (await createAuthority()).issue({ folder: join(folder, 'stranger'), use: 'client' })
await writeEngines()
const system = await startSystem(stack, {
  registry: { host: second.hostIp },
  environment: { FAIRLEAD_WORKER_ENGINES: join(folder, 'engines.yaml') },
})
await ensureBaseImage({ name: system.baseImage, socketPath: second.socket })
await second.trust(system.registry.address, system.registry.ca)
await trustHere(system.registry.address, system.registry.ca)
const far = await system.addRepository(FAR, {
  'fairlead.yaml': `version: 1\napps:\n  ${FAR}:\n    target: container\n    health: { http: / }\n    drain: 0s\n    engine: { runner: node_remote_docker }\n`,
  Dockerfile: dockerfile('one'),
})

test('R39, R42 a remote engine takes clients of its own authority and refuses all others', async () => {
  const info = (certificates: string) =>
    command('docker', ['--host', second.address, '--tlsverify', 'info', '--format', '{{.Name}}'], {
      folder,
      env: { DOCKER_CERT_PATH: certificates },
    })
  const ours = await info(second.client.folder)
  equal(ours.code, 0, ours.stderr)
  const half = await (await createAuthority()).issue({ folder: join(folder, 'half'), use: 'client' })
  await copyFile(second.client.ca, half.ca)
  const refused = await info(half.folder)
  notEqual(refused.code, 0)
  match(refused.stderr, /bad certificate/)
})

test('R39, R40, R42 an app that asks for a label is built, pushed, run and served by the remote engine with it', async () => {
  const first = await deployed(FAR)
  equal(first.outcome, 'deployed')
  deepEqual(await system.visit(`${FAR}.localhost`), { status: 200, body: 'one' })
  equal((await containersOn('second', FAR)).length, 1)
  deepEqual(await containersOn('local', FAR), [])
  const app = await appNamed(FAR)
  equal(app.engine, 'big')
  match(app.release?.images[0]?.pinned ?? '', new RegExp(`^${system.registry.address}/${FAR}@sha256:`))
  match(await logsOf(FAR), /serving one/)
})

test('R42 a new release on a remote engine replaces the old one there, without a refused visitor', async () => {
  await far.push({ Dockerfile: dockerfile('two') })
  const over = new AbortController()
  const visiting = visitUntil(over.signal)
  await deployed(FAR).finally(() => over.abort())
  const { visits, refused } = await visiting
  ok(visits > 0)
  equal(refused, 0)
  deepEqual(await system.visit(`${FAR}.localhost`), { status: 200, body: 'two' })
  equal((await containersOn('second', FAR)).length, 1)
  equal((await deployed(FAR)).outcome, 'nothing-to-do')
})

test('R42 hosts tell their engines with labels and version, and which cannot be used and why', async () => {
  let engines: HostDocument['engines'] = []
  await until('the worker has told of its engines', async () => {
    const { items } = await system.together().client.get<{ items: HostDocument[] }>('/hosts')
    engines = items[0]?.engines ?? []
    return engines.length > 0
  })
  deepEqual(
    engines.map(each => [each.name, each.version === null]),
    [
      ['local', false],
      ['big', false],
      ['stranger', true],
      ['doubted', true],
    ],
  )
  deepEqual(engines[1]?.labels, { runner: 'node_remote_docker' })
  match(engines[2]?.problem ?? '', /does not take the worker's certificate/)
  match(engines[3]?.problem ?? '', /certificate of the engine at .* is not trusted/)
})

test('R42 an engine for some repositories is for no other, whatever its app is called', async () => {
  const guest = `guest-${process.pid}`
  const name = `far-guest-${process.pid}`
  await system.addRepository(guest, {
    'fairlead.yaml': `version: 1\napps:\n  ${name}:\n    target: container\n    engine: big\n`,
    Dockerfile: dockerfile('guest'),
  })
  await system.together().client.send('POST', '/apps', { name, repository: guest })
  const { error } = await system.deploy(name)
  equal(error?.code, 'ENGINE_NOT_FOR_APP')
  match(error?.message ?? '', new RegExp(`comes from the repository "${guest}"`))
})

test('R42 R43 a prune tells of each engine of the host, and which it could not ask', async () => {
  const { client } = system.together()
  const [{ name: host = '' } = {}] = (await client.get<{ items: HostDocument[] }>('/hosts')).items
  const told = await client.send<PruneDocument>('POST', `/hosts/${host}/prune`, { dry_run: true })
  deepEqual(
    [told.engines.map(each => each.engine), told.problems.map(each => each.engine)],
    [
      ['local', 'big'],
      ['stranger', 'doubted'],
    ],
  )
})

test('an engine that is killed during a deployment is waited for', async () => {
  await far.push({ Dockerfile: dockerfile('three') })
  await second.kill()
  const deploying = deployed(FAR)
  await second.start()
  equal((await deploying).outcome, 'deployed')
  equal((await system.visit(`${FAR}.localhost`)).body, 'three')
})

for (const [engine, code] of [
  ['nowhere', 'ENGINE_UNKNOWN'],
  ['stranger', 'ENGINE_REFUSED_CLIENT'],
  ['doubted', 'ENGINE_UNTRUSTED'],
] as const) {
  test(`an app that wants the engine "${engine}" is refused, and stays as it is`, async () => {
    await system.together().client.send('PATCH', `/apps/${FAR}`, { engine })
    const refused = await system.deploy(FAR)
    equal(refused.state, 'failed')
    equal(refused.error?.code, code)
    equal((await system.visit(`${FAR}.localhost`)).body, 'three')
  })
}

test('R42 an app moves to another engine when it serves there, and leaves nothing behind', async () => {
  await system.together().client.send('PATCH', `/apps/${FAR}`, { engine: 'local' })
  const moved = await deployed(FAR)
  equal(moved.outcome, 'deployed')
  deepEqual(await containersOn('second', FAR), [])
  equal((await containersOn('local', FAR)).length, 1)
  equal((await system.visit(`${FAR}.localhost`)).body, 'three')
  equal((await appNamed(FAR)).engine, 'local')
})

test('R39 a Compose app runs on a remote engine, with what it builds; files of the repository cannot be mounted there', async () => {
  const shop = await system.addRepository(SHOP, {
    'fairlead.yaml': `version: 1\napps:\n  ${SHOP}:\n    target: compose\n    files: [compose.yaml]\n    routes: []\n    engine: big\n`,
    'compose.yaml': compose(''),
    Dockerfile: dockerfile('shop'),
  })
  await deployed(SHOP)
  const answer = await fetch(`http://${second.ip}:28080/`)
  equal((await answer.text()).trim(), 'shop')
  await shop.push({ 'compose.yaml': compose('    volumes: ["./Dockerfile:/x:ro"]\n') })
  const refused = await system.deploy(SHOP)
  equal(refused.error?.code, 'ENGINE_HAS_NO_FILES')
  equal((await fetch(`http://${second.ip}:28080/`)).status, 200)
  await system.together().client.send('DELETE', `/apps/${SHOP}`)
  const isEmpty = async () => (await second.docker('ps', '--all', '--quiet')).trim() === ''
  await until('nothing is left on the remote engine', isEmpty)
})

test('R19 R39 R42 a stack runs in the swarm of a remote engine, and stays there when it cannot move', async () => {
  await second.docker('swarm', 'init', '--advertise-addr', second.ip, '--listen-addr', `${second.ip}:2400`)
  await system.addRepository(SWARM, {
    'fairlead.yaml': `version: 1\napps:\n  ${SWARM}:\n    target: stack\n    engine: big\n    verify: { http: / }\n`,
    'compose.yaml': `services:\n  web:\n    build: .\n    init: true\n    ports: [{ target: 8080, published: 28081, mode: host }]\n    deploy: { update_config: { monitor: 500ms } }\n`,
    Dockerfile: dockerfile('swarm'),
  })
  await deployed(SWARM)
  const page = async () => (await (await fetch(`http://${second.ip}:28081/`)).text()).trim()
  equal(await page(), 'swarm')
  equal((await deployed(SWARM)).outcome, 'nothing-to-do')
  const { client } = system.together()
  // An engine that was away is asked again once its host has seen it.
  await until('the stack is listed with its engine', async () => {
    const { items } = await client.get<{ items: StackDocument[] }>('/stacks')
    return items.some(each => each.stack === SWARM && each.engine === 'big' && each.app === SWARM)
  })
  await client.send('PATCH', `/apps/${SWARM}`, { engine: 'local' })
  equal((await system.deploy(SWARM)).error?.code, 'SWARM_MISSING')
  equal(await page(), 'swarm')
  await client.send('DELETE', `/apps/${SWARM}`)
  const isEmpty = async () => (await second.docker('service', 'ls', '--quiet')).trim() === ''
  await until('nothing of the stack is left', isEmpty)
})

test('R42 an engine without TLS, with a key that others may read or with a certificate that has ended stops the worker with a sentence', async () => {
  const late = await second.authority.issue({
    folder: join(folder, 'late'),
    use: 'client',
    notAfter: Date.now() - 1_000,
  })
  await chmod(stranger.key, 0o644)
  for (const [entry, words] of [
    [{ name: 'bare', host: second.address }, /"bare" at .* has no "tls"/],
    [entryOf('open', 2377, stranger), /stranger\/key\.pem: others than its owner may read it \(mode 644/],
    [entryOf('late', 2377, late), /late\/cert\.pem: its certificate has ended on /],
    [entryOf('mixed', 2377, { ...second.client, key: late.key }), /it is not the key of the certificate in /],
  ] as const) {
    const file = join(folder, 'wrong.yaml')
    await writeFile(file, JSON.stringify({ engines: [entry] }))
    throws(() => readEngines(file, '/var/run/docker.sock', Date.now()), words)
  }
})

async function writeEngines(): Promise<void> {
  const big = entryOf('big', 2376, second.client)
  const engines = [
    {
      ...big,
      labels: { runner: 'node_remote_docker' },
      repositories: [FAR, SHOP, SWARM],
      publish: { address: [second.ip, second.otherIp] },
    },
    entryOf('stranger', 2377, { ...stranger, ca: second.client.ca }),
    entryOf('doubted', 2378, { ...second.client, ca: stranger.ca }),
  ]
  await writeFile(join(folder, 'engines.yaml'), JSON.stringify({ engines }))
}

function entryOf(name: string, port: number, { ca, cert, key }: CertificateFolder) {
  return { name, host: `tcp://${second.ip}:${port}`, tls: { ca, cert, key } }
}

/** Not on loopback, the registry has to be trusted by the engine of this machine too. */
async function trustHere(address: string, ca: string): Promise<void> {
  const place = join('/etc/docker/certs.d', address)
  stack.defer(() => rm(place, { recursive: true, force: true }))
  await mkdir(place, { recursive: true })
  await writeFile(join(place, 'ca.crt'), ca)
}

function dockerfile(page: string): string {
  return [
    `FROM ${system.baseImage}`,
    `RUN mkdir /www && echo ${page} > /www/index.html`,
    'EXPOSE 8080',
    `CMD ["sh", "-c", "echo serving ${page}; exec httpd -f -p 8080 -h /www"]`,
    '',
  ].join('\n')
}

function compose(more: string): string {
  return `services:\n  web:\n    build: .\n    init: true\n    ports: ["28080:8080"]\n${more}`
}

/** Visitors one after the other; what they were told but a page. */
async function visitUntil(signal: AbortSignal): Promise<{ visits: number; refused: number }> {
  const seen = { visits: 0, refused: 0 }
  while (!signal.aborted) {
    const { status } = await system.visit(`${FAR}.localhost`)
    seen.visits += 1
    seen.refused += status === 200 ? 0 : 1
  }
  return seen
}

async function deployed(app: string): Promise<DeploymentDetail> {
  const detail = await system.deploy(app)
  equal(detail.state, 'succeeded', `${JSON.stringify(detail.error)}\n${await system.logOf(detail.id)}`)
  return detail
}

async function appNamed(name: string): Promise<AppDocument> {
  return await system.together().client.get<AppDocument>(`/apps/${name}`)
}

async function containersOn(engine: 'local' | 'second', app: string): Promise<string[]> {
  const host = engine === 'second' ? second.socket : '/var/run/docker.sock'
  const words = [
    '--host',
    `unix://${host}`,
    'ps',
    '--all',
    '--quiet',
    '--filter',
    `label=io.fairlead.app=${app}`,
  ]
  return (await mustRun('docker', words, { folder })).split('\n').filter(Boolean)
}

async function logsOf(app: string): Promise<string> {
  const token = (await readFile(system.together().tokenFile, 'utf8')).trim()
  const answer = await fetch(`${system.together().url}/api/v1/apps/${app}/logs?follow=false`, {
    headers: { authorization: `Bearer ${token}` },
  })
  return await answer.text()
}
