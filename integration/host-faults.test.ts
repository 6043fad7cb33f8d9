import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { createClient } from '#cli/client.ts'
import { freePort } from '#cli/demo/free-port.ts'
import { startRegistry } from '#cli/demo/registry.ts'
import { type Part, startPart } from '#cli/parts.ts'
import type { BackupRequest } from '#contract/backup.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import type { HostDocument } from '#contract/rest/hosts.ts'
import type { JoinTokenDocument, MadeJoinToken } from '#contract/rest/join.ts'
import { systemClock } from '#lib/clock.ts'
import { fairlead, killedBackup } from './world/backups.ts'
import { command, mustRun } from './world/command.ts'
import { engineFacts } from './world/engine-facts.ts'
import { type EngineGate, openEngineGate } from './world/engine-gate.ts'
import { partProcess } from './world/part-process.ts'
import { type Remote, type System, startSystem } from './world/system.ts'
import {
  assertFailedCleanly,
  containersOf,
  type Failure,
  processesWith,
  type Traces,
  tracesOf,
  until,
} from './world/traces.ts'

/** One app that serves, and a machine around it on which one thing after the other breaks and comes back. */
const stack = new AsyncDisposableStack()
const APP = `faults-${process.pid}`
const HOST = `${APP}.localhost`
/** The engine must not know any step from an earlier run: it would skip what is slow. */
const RUN = randomUUID()
/** In the middle of a build: long enough to break something meanwhile. */
const SLOW = 'RUN echo now it is slow; sleep 2\n'
let gate: EngineGate
let system: System
let remote: Remote
let serving: string
let traces: Traces
let version = 0

before(async () => {
  const folder = await temporaryFolder(stack)
  gate = await openEngineGate(join(folder, 'engine.sock'))
  stack.defer(gate.close)
  system = await startSystem(stack, {
    store: 'file',
    dockerSocket: gate.path,
    environment: { FAIRLEAD_DEADLINES: 'engine=3s' },
  })
  remote = await system.addRepository(APP, files('nothing'))
  await nextSucceeds()
})

after(() => stack.disposeAsync())

beforeEach(async () => {
  traces = await tracesOf(system, APP)
})

test('a registry that is down ends in the step push, and once it is back all is well', async () => {
  const port = Number(system.registry.address.split(':')[1])
  await system.registry.close()
  await push()
  try {
    await failedCleanly(await system.deploy(APP), {
      step: /^push$/,
      code: /^REGISTRY_UNREACHABLE$/,
      shows: new RegExp(`${system.registry.address}.*refused`),
      hint: /registry/,
    })
  } finally {
    stack.defer((await startRegistry({ ...system.registryOptions, port })).close)
  }
  await nextSucceeds()
})

test('an engine that goes down in the middle of a build ends it, and once it is back all is well', async () => {
  const { id } = await deployUntilBuild()
  await gate.close()
  try {
    await failedCleanly(await ended(id), {
      step: /^build$/,
      code: /^(ENGINE_UNREACHABLE|ENGINE_BROKE_OFF)$/,
      shows: /now it is slow/,
      hint: /journalctl -u docker|was probably restarted/,
    })
    await failedCleanly(await system.deploy(APP), {
      step: /^plan$/,
      code: /^ENGINE_UNREACHABLE$/,
      shows: /Cannot connect to docker/,
      hint: /systemctl start docker/,
    })
  } finally {
    await gate.open()
  }
  await nextSucceeds()
})

test('a deployment that is requested while the worker is away is carried out when it is back', async () => {
  await kill(system.together().worker)
  const text = await push()
  const id = await request(APP)
  await until('it runs', async () => (await detail(id)).state === 'running')
  await system.restart()
  succeeded(await ended(id))
  await serves(text)
})

test('a worker that does not come back in time: AGENT_OFFLINE in the step checkout', async () => {
  await system.restart({ environment: impatient() })
  await kill(system.together().worker)
  await push()
  const deployment = await system.deploy(APP)
  await system.restart()
  await failedCleanly(deployment, offlineIn(/^checkout$/))
  await nextSucceeds()
})

test('a worker that is killed in the middle of a build and does not come back in time: AGENT_OFFLINE', async () => {
  await system.restart({ environment: impatient() })
  const seconds = 200_000 + (process.pid % 100_000)
  const { id } = await deployUntilBuild(`RUN echo now it is slow; sleep ${seconds}\n`)
  await kill(system.together().worker)
  const deployment = await ended(id)
  assert.equal((await system.visit(HOST)).body, serving)
  await system.restart()
  await until('the build is gone', async () => (await processesWith(`sleep ${seconds}`)).length === 0)
  failed(deployment, offlineIn(/^build$/))
  await nextSucceeds()
})

test('a worker that is connected and hangs is found out by its silence, visitors are served, and its work is ended when it comes to itself', async () => {
  await system.restart({ environment: impatient() })
  const seconds = 300_000 + (process.pid % 100_000)
  const { id } = await deployUntilBuild(`RUN echo now it is slow; sleep ${seconds}\n`)
  const { pid } = system.together().worker
  process.kill(pid, 'SIGSTOP')
  try {
    failed(await ended(id), offlineIn(/^build$/))
    await servesOn(20)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await until('the old version answers', async () => (await system.visit(HOST)).body === serving)
  await until('the build is gone', async () => (await processesWith(`sleep ${seconds}`)).length === 0)
  await system.restart()
  await nextSucceeds()
})

test('a manager that is killed in the middle of a build goes on with the same deployment', async () => {
  const { id, text } = await deployUntilBuild()
  await kill(system.together().manager)
  await nothingChanged()
  await system.restart()
  succeeded(await ended(id))
  await serves(text)
})

test('a worker that is killed in the middle of a build goes on with the same deployment', async () => {
  const { id, text } = await deployUntilBuild()
  await kill(system.together().worker)
  await nothingChanged()
  await system.restart()
  succeeded(await ended(id))
  await serves(text)
})

for (const name of ['worker', 'manager'] as const) {
  test(`only the ${name} is killed in the middle of a build and comes back alone`, async () => {
    const { id, text } = await deployUntilBuild()
    const part = await partProcess(system.together()[name])
    await part.kill()
    await part.start()
    try {
      succeeded(await ended(id))
      await serves(text)
    } finally {
      await part.close()
      await system.restart()
    }
  })
}

test('cancelled in the middle of a build: the build is ended and nothing is left behind', async () => {
  const seconds = 1000 + (process.pid % 1000)
  const { id } = await deployUntilBuild(`RUN echo now it is slow; sleep ${seconds}\n`)
  assert.equal((await processesWith(`sleep ${seconds}`)).length > 0, true, 'the build runs')
  await system.together().client.send('POST', `/deployments/${id}/cancel`)
  const deployment = await ended(id)
  assert.equal(deployment.state, 'cancelled')
  await nothingChanged()
  await until('the build is gone', async () => (await processesWith(`sleep ${seconds}`)).length === 0)
  await nextSucceeds()
})

test('a Compose project that is never healthy fails, and its previous release is back', async () => {
  const name = `faults-compose-${process.pid}`
  const project = await system.addRepository(name, composeFiles(name, { text: 'one', check: 'true' }))
  succeeded(await system.deploy(name))
  const answer = async () => (await system.visit(`${name}.localhost`)).body
  await until('the first release answers', async () => (await answer()) === 'one')
  const before = await engineFacts(name)

  await project.push(composeFiles(name, { text: 'two', check: 'echo no bread; exit 1' }))
  const deployment = await system.deploy(name)
  failed(deployment, { step: /^(apply|verify)$/, code: /^COMPOSE_SERVICE_UNHEALTHY$/ })
  assert.match(deployment.error?.message ?? '', /no bread/)
  await until('the first release is back', async () => (await answer()) === 'one')
  assert.equal((await engineFacts(name)).length, before.length)

  await project.push(composeFiles(name, { text: 'three', check: 'true' }))
  succeeded(await system.deploy(name))
  await until('the third release answers', async () => (await answer()) === 'three')
})

test('a registry whose disk is full ends in the step push', async t => {
  await using own = new AsyncDisposableStack()
  const folder = join(await temporaryFolder(own), 'small')
  await mkdir(folder)
  const mounted = await command('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { folder: '/' })
  if (mounted.code !== 0) {
    t.skip(`a small disk cannot be mounted here: ${mounted.stderr.trim()}`)
    return
  }
  own.defer(() => mustRun('umount', [folder], { folder: '/' }).then(() => undefined))
  const small = await startSystem(own, { registry: { folder } })
  const name = `faults-disk-${process.pid}`
  const repository = await small.addRepository(name, files('small', { app: name, base: small.baseImage }))
  succeeded(await small.deploy(name))
  const before = await tracesOf(small, name)

  const more = 'RUN head -c 12000000 /dev/urandom > /big\n'
  await repository.push(files('big', { app: name, base: small.baseImage, more }))
  await assertFailedCleanly(small, await small.deploy(name), {
    before,
    serving: 'small',
    step: /^push$/,
    code: /^REGISTRY_DISK_FULL$/,
    shows: new RegExp(`The disk of the registry ${small.registry.address} is full`),
    hint: /more disk/,
  })
})

test('X05 R12 a manager restored from a backup goes on with its hosts, which refuse the one before, and what was revoked stays so', async t => {
  const data = system.folder
  const away = await temporaryFolder(stack)
  const [file, key, old] = [join(away, 'one.age'), join(away, 'key'), join(data, 'manager.old')]
  const { client, tokenFile } = system.together()
  const invited = await client.send<MadeJoinToken>('POST', '/join-tokens', { name: 'nobody' })
  const invitation = async () => {
    const { items } = await system.together().client.get<{ items: JoinTokenDocument[] }>('/join-tokens')
    return items.find(each => each.id === invited.id)?.state
  }
  const { recipient } = await fairlead<{ recipient: string }>(data, 'backup', 'key', key)
  const { id } = await deployUntilBuild()
  const making: BackupRequest = { do: 'create', to: file, recipients: [recipient], logs: true }
  await killedBackup(data, making, { place: 'manager backup before-rename' })
  assert.equal(existsSync(file), false)
  await fairlead(data, 'backup', 'create', file, '--recipient', recipient)
  succeeded(await ended(id))
  await nextSucceeds()
  assert.equal(await invitation(), 'open')
  await client.send('DELETE', `/join-tokens/${invited.id}`)
  await kill(system.together().manager)

  await rename(join(data, 'manager'), old)
  const opening = { identities: [(await readFile(key, 'utf8')).split('\n')[1] ?? ''] }
  const revoked = { since: old, nothingRevoked: false, hosts: [] }
  const restoring: BackupRequest = { do: 'restore', from: file, opening, ...revoked }
  await killedBackup(data, restoring, { place: 'manager restore before-rename' })
  assert.deepEqual(await readdir(join(data, 'manager')), [])
  const words = ['restore', file, '--identity', key, '--since', old]
  const { ended_deployments } = await fairlead<{ ended_deployments: number }>(data, ...words)
  assert.equal(ended_deployments, 1)
  await system.restart()
  assert.equal(await invitation(), 'revoked')
  assert.equal((await detail(id)).error?.code, 'DEPLOYMENT_BEFORE_RESTORE')
  await servesOn(1)
  await nextSucceeds()

  await rename(old, join(away, 'manager'))
  const listen = `127.0.0.1:${await freePort()}`
  const before = await startPart({ name: 'manager', data: away, environment: { FAIRLEAD_LISTEN: listen } })
  t.after(() => before.close())
  const then = createClient({ managerUrl: `http://${listen}`, token: undefined, tokenFile })
  await until('the worker refuses the manager that was before', async () => {
    const { items } = await then.get<{ items: HostDocument[] }>('/hosts')
    return items.some(({ online, problem }) => !online && /stale/.test(problem ?? ''))
  })
  await nextSucceeds()
})

/** A new version at the Git server; gives the text that it answers with. */
async function push(more = ''): Promise<string> {
  version += 1
  const text = `version ${version} of ${RUN}`
  await remote.push(files(text, { more }))
  return text
}

async function nextSucceeds(): Promise<void> {
  const text = await push()
  succeeded(await system.deploy(APP))
  await serves(text)
}

async function deployUntilBuild(more = SLOW): Promise<{ id: string; text: string }> {
  const text = await push(more)
  const id = await request(APP)
  await until('it builds', async () => {
    const { state, error } = await detail(id)
    assert.ok(state === 'queued' || state === 'running', `${state}: ${JSON.stringify(error)}`)
    // At the end of a line it is not the instruction but what it prints.
    return /now it is slow$/m.test(await system.logOf(id))
  })
  return { id, text }
}

async function request(app: string): Promise<string> {
  return (await system.together().client.send<{ id: string }>('POST', `/apps/${app}/deploy`, {})).id
}

async function detail(id: string): Promise<DeploymentDetail> {
  return await system.together().client.get<DeploymentDetail>(`/deployments/${id}`)
}

async function ended(id: string): Promise<DeploymentDetail> {
  await until('it ended', async () => (await detail(id)).finished_at !== null)
  return await detail(id)
}

function succeeded(deployment: DeploymentDetail): void {
  assert.deepEqual([deployment.error, deployment.state], [null, 'succeeded'])
}

function failed(deployment: DeploymentDetail, expected: { step: RegExp; code: RegExp; hint?: RegExp }): void {
  assert.equal(deployment.state, 'failed')
  assert.match(deployment.error?.code ?? '', expected.code, JSON.stringify(deployment.error))
  assert.match(deployment.failed_step ?? '', expected.step)
  assert.match(deployment.error?.hint ?? '', expected.hint ?? /./)
}

/** The engine is asked, not the manager: it may be dead. */
async function nothingChanged(): Promise<void> {
  assert.equal((await system.visit(HOST)).body, serving)
  assert.deepEqual(await containersOf(APP), traces.containers)
}

async function failedCleanly(
  deployment: DeploymentDetail,
  expected: Omit<Failure, 'before' | 'serving'>,
): Promise<void> {
  await assertFailedCleanly(system, deployment, { ...expected, before: traces, serving })
}

function offlineIn(step: RegExp): Omit<Failure, 'before' | 'serving'> {
  return {
    step,
    code: /^AGENT_OFFLINE$/,
    shows: /is not connected/,
    hint: /systemctl start fairlead-worker/,
  }
}

/** A manager that waits less for a worker than it would by itself. */
function impatient(): Record<string, string> {
  return { FAIRLEAD_DOCKER_SOCKET: gate.path, FAIRLEAD_DEADLINES: 'worker=5s' }
}

/** The new version answers, and its container is the only one. */
async function serves(text: string): Promise<void> {
  assert.equal((await system.visit(HOST)).body, text)
  serving = text
  const { containers = [] } = await tracesOf(system, APP)
  assert.equal(containers.length, 1, containers.join())
}

/** One visitor after the other. A minute is far more than they need, and less than if each waited for a worker. */
async function servesOn(visits: number): Promise<void> {
  const deadline = systemClock.monotonic() + 60_000
  for (let visit = 1; visit <= visits; visit += 1) {
    const { status, body } = await system.visit(HOST)
    assert.equal(body, serving, `visit ${visit}: ${status} ${body}`)
    assert.ok(systemClock.monotonic() < deadline, `only ${visit} visitors got an answer`)
  }
}

async function kill(part: Part): Promise<void> {
  process.kill(part.pid, 'SIGKILL')
  await part.ended
}

async function temporaryFolder(owner: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'host-faults-'))
  owner.defer(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function files(text: string, { app = APP, base = system.baseImage, more = '' } = {}) {
  const settings = ['target: container', 'port: 8080', 'drain: 0s', 'health: { within: 3s }']
  return {
    'index.html': text,
    Dockerfile: `FROM ${base}\nCOPY index.html /www/index.html\n${more}CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n`,
    'fairlead.yaml': deployFile(app, settings),
  }
}

function composeFiles(app: string, { text, check }: { text: string; check: string }) {
  return {
    'index.html': text,
    Dockerfile: `FROM ${system.baseImage}\nCOPY index.html /www/index.html\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n`,
    'compose.yaml': `services:
  web:
    build: .
    init: true
    expose: [8080]
    healthcheck: { test: ["CMD-SHELL", "${check}"], interval: 200ms, retries: 2 }
`,
    'fairlead.yaml': deployFile(app, ['target: compose', 'routes: [{ service: web, port: 8080 }]']),
  }
}

function deployFile(app: string, settings: readonly string[]): string {
  return ['version: 1', 'apps:', `  ${app}:`, ...settings.map(line => `    ${line}`), ''].join('\n')
}
