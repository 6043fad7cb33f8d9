import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { freePort } from '#cli/demo/free-port.ts'
import { startRegistry } from '#cli/demo/registry.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import type { FairleadError } from '#lib/errors.ts'
import { type Remote, type System, startSystem } from './world/system.ts'
import {
  assertFailedCleanly,
  assertNothingLeft,
  type Failure,
  type Traces,
  tracesOf,
} from './world/traces.ts'

/** One app that serves; each test breaks something, and it must go on serving. */
const stack = new AsyncDisposableStack()
const APP = `bad-${process.pid}`
const HOST = `${APP}.localhost`
let system: System
let remote: Remote
let traces: Traces
let version = 0

before(async () => {
  system = await startSystem(stack)
  remote = await system.addRepository(APP, goodFiles())
  const first = await system.deploy(APP)
  assert.deepEqual([first.error, (await system.visit(HOST)).body], [null, 'version 0'])
})

after(() => stack.disposeAsync())

beforeEach(async () => {
  await changeRepository(rightRepository())
  version += 1
  await remote.push(goodFiles(`version ${version}`))
  const deployment = await system.deploy(APP)
  assert.equal(deployment.error, null)
  assert.equal(deployment.state, 'succeeded')
  assert.equal((await system.visit(HOST)).body, `version ${version}`)
  traces = await tracesOf(system, APP)
})

test('a Dockerfile that fails ends in the step build with its last lines', async () => {
  await remote.push({ Dockerfile: `${dockerfile()}RUN echo about to break && exit 7\n` })
  await failed({
    step: /^build$/,
    code: /^BUILD_FAILED$/,
    shows: /^.*about to break$/m,
    hint: /docker build/,
  })
})

test('an image that exits at once ends in the step apply with its exit code and last lines', async () => {
  await remote.push({ Dockerfile: dockerfile('echo bye; exit 3') })
  const { error } = await failed({
    step: /^apply$/,
    code: /^CONTAINER_EXITED$/,
    shows: /^.*bye$/m,
    hint: /last log lines say why/,
  })
  assert.match(error?.message ?? '', /exit code 3/)
})

test('an image that never becomes healthy ends in the step apply and shows what it printed', async () => {
  await remote.push({ Dockerfile: dockerfile('echo waiting for a database; sleep 600') })
  await failed({
    step: /^apply$/,
    code: /^CONTAINER_UNHEALTHY$/,
    shows: /waiting for a database/,
    hint: /listens on all addresses/,
  })
})

test('a host port that is taken ends in the step apply and names the port', async () => {
  const holder = createServer()
  await new Promise<void>(resolve => holder.listen(0, '0.0.0.0', resolve))
  const { port } = holder.address() as { port: number }
  try {
    await remote.push({ 'fairlead.yaml': deployFile([`ports: [{ host: ${port}, container: 8080 }]`]) })
    await failed({
      step: /^apply$/,
      code: /^PORT_TAKEN$/,
      shows: new RegExp(`Port ${port} of the host`),
      hint: /ss -ltnp/,
    })
  } finally {
    holder.close()
  }
})

test('an invalid fairlead.yaml ends in the step read with file and line', async () => {
  await remote.push({ 'fairlead.yaml': deployFile(['prot: 8080']) })
  const deployment = await failed({
    step: /^read$/,
    code: /^DEPLOY_FILE_INVALID$/,
    shows: /line \d+.*prot.*did you mean "port"/,
    hint: /fairlead check/,
  })
  const [problem] = (deployment.error as { problems?: { file?: string; line?: number }[] }).problems ?? []
  assert.equal(problem?.file, 'fairlead.yaml')
  assert.ok((problem?.line ?? 0) > 1)
})

test('G10 a branch that is not there ends in the step checkout', async () => {
  await changeRepository({ branch: 'nowhere' })
  await failed({ step: /^checkout$/, code: /^BRANCH_NOT_FOUND$/, shows: /nowhere/, hint: /branch/ })
})

test('a wrong Git password ends in the step checkout', async () => {
  const { username } = system.gitServer
  await changeRepository({ credential: { kind: 'https', username, password: 'wrong-password' } })
  const { id } = await failed({
    step: /^checkout$/,
    code: /^REPOSITORY_CREDENTIAL_REFUSED$/,
    shows: /refuse/,
    hint: /token|password/,
  })
  assert.doesNotMatch(await system.logOf(id), /wrong-password/)
})

test('an unknown repository ends in the step checkout', async () => {
  await changeRepository({ url: system.gitServer.url('unknown') })
  await failed({ step: /^checkout$/, code: /^REPOSITORY_NOT_FOUND$/, shows: /unknown\.git/, hint: /address/ })
})

test('an unreachable repository ends in the step checkout', async () => {
  await changeRepository({ ...rightRepository(), url: 'https://127.0.0.1:9/app.git' })
  await failed({
    step: /^checkout$/,
    code: /^REPOSITORY_UNREACHABLE$/,
    shows: /127\.0\.0\.1:9/,
    hint: /firewall/,
  })
})

test('a registry that refuses the password ends in the step push', async () => {
  const { folder, username } = system.registryOptions
  const port = Number(system.registry.address.split(':')[1])
  await system.registry.close()
  const other = await startRegistry({ folder, port, username, password: 'another-password' })
  try {
    await remote.push(goodFiles('refused'))
    await failed({
      step: /^push$/,
      code: /^REGISTRY_CREDENTIAL_REFUSED$/,
      shows: new RegExp(system.registry.address),
      hint: /password/,
    })
  } finally {
    await other.close()
  }
  stack.defer((await startRegistry({ ...system.registryOptions, port })).close)
})

test('two apps that want one domain: the second ends in the step read, and neither loses anything', async () => {
  const name = `bad-other-${process.pid}`
  const files = (more: readonly string[]) => ({
    ...goodFiles('honest'),
    'fairlead.yaml': deployFile(more, name),
  })
  const other = await system.addRepository(name, files([]))
  assert.equal((await system.deploy(name)).error, null)
  const before = await tracesOf(system, name)
  await other.push(files([`domains: ["${name}.localhost", "${HOST}"]`]))
  await assertFailedCleanly(system, await system.deploy(name), {
    before,
    serving: 'honest',
    step: /^read$/,
    code: /^DOMAIN_TAKEN_BY_APP$/,
    shows: new RegExp(`"${HOST}" already belongs to another app`),
    hint: /another domain/,
  })
  await assertNothingLeft(system, APP, { before: traces, serving: `version ${version}` })
})

test('what the policy of the host forbids of a Dockerfile ends in the step plan, with file and line', async () => {
  await remote.push({ Dockerfile: `${dockerfile()}ADD https://example.org/x /x\n` })
  const { error } = await failed({
    step: /^plan$/,
    code: /^DOCKERFILE_REFUSED$/,
    shows: /"ADD" of a remote address/,
    hint: /./,
  })
  const [problem] = (error as { problems?: { file?: string; line?: number }[] }).problems ?? []
  assert.deepEqual([problem?.file, problem?.line], ['Dockerfile', 4])
})

test('A10 two apps that want one port: 409 for the second before anything is built, and neither loses anything', async () => {
  const name = `bad-port-${process.pid}`
  const ports = [`ports: [{ host: ${await freePort()}, container: 8080 }]`]
  const own = { ...goodFiles('first'), 'fairlead.yaml': deployFile(ports, name) }
  await system.addRepository(name, own)
  assert.equal((await system.deploy(name)).error, null)
  const before = await tracesOf(system, name)
  await remote.push({ 'fairlead.yaml': deployFile(ports) })
  const { client } = system.together()
  await assert.rejects(client.send('POST', `/apps/${APP}/plan`, {}), (error: FairleadError) => {
    assert.deepEqual([error.code, error.status], ['PORT_TAKEN_BY_APP', 409])
    return true
  })
  await failed({ step: /^plan$/, code: /^PORT_TAKEN_BY_APP$/, shows: /another app/, hint: /./ })
  await assertNothingLeft(system, name, { before, serving: 'first' })
})

/** Deploys, expects the failure, and that nothing else changed. */
async function failed(expected: Omit<Failure, 'before' | 'serving'>): Promise<DeploymentDetail> {
  const deployment = await system.deploy(APP)
  await assertFailedCleanly(system, deployment, {
    ...expected,
    before: traces,
    serving: `version ${version}`,
  })
  return deployment
}

function rightRepository() {
  const { username, password } = system.gitServer
  return { url: system.gitServer.url(APP), branch: 'main', credential: { kind: 'https', username, password } }
}

async function changeRepository(change: Record<string, unknown>): Promise<void> {
  const { client } = system.together()
  const { items } = await client.get<{ items: { id: string; name: string; version: number }[] }>(
    '/repositories',
  )
  const found = items.find(repository => repository.name === APP)
  await client.send('PATCH', `/repositories/${APP}`, change, { 'if-match': `"${found?.version}"` })
}

function goodFiles(text = 'version 0') {
  return { 'index.html': text, Dockerfile: dockerfile(), 'fairlead.yaml': deployFile([]) }
}

function dockerfile(command = 'exec httpd -f -p 8080 -h /www'): string {
  return [
    `FROM ${system.baseImage}`,
    'COPY index.html /www/index.html',
    `CMD ["sh", "-c", "${command}"]`,
    '',
  ].join('\n')
}

function deployFile(lines: readonly string[], name = APP): string {
  const settings = ['target: container', 'port: 8080', 'drain: 0s', 'health: { within: 3s }', ...lines]
  return ['version: 1', 'apps:', `  ${name}:`, ...settings.map(line => `    ${line}`), ''].join('\n')
}
