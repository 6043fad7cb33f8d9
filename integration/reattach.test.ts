import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import { fakeServer, forwarded } from './world/fake-git-server.ts'
import { type PartProcess, partProcess } from './world/part-process.ts'
import { type Remote, type System, startSystem } from './world/system.ts'
import { assertNothingLeft, tracesOf, until } from './world/traces.ts'

/** A worker is killed while a program of it is at work: the program goes on, and so does the command. */
const stack = new AsyncDisposableStack()
const APP = `reattach-${process.pid}`
const COMPOSE = `reattach-compose-${process.pid}`
let system: System
let worker: PartProcess
let remotes: Readonly<Record<string, Remote>>
let gitHost: string
let fetches = 0
/** While it is there, the Git server does not answer who fetches. */
let held: PromiseWithResolvers<void> | undefined
let version = 0

before(async () => {
  system = await startSystem(stack)
  worker = await partProcess(system.together().worker)
  stack.defer(() => worker.close())
  remotes = {
    [APP]: await system.addRepository(APP, files()),
    [COMPOSE]: await system.addRepository(COMPOSE, composeFiles()),
  }
  await slowGit()
  for (const app of Object.keys(remotes)) {
    succeeded(await system.deploy(app))
  }
})

after(() => stack.disposeAsync())

test('G20 M23 the fetch of a killed worker is the same process afterwards, and its command ends well', async () => {
  const { id, git } = await killedAtFetch()
  await worker.start()
  await until('the command goes on', async () => (await workerLog()).includes('command.continued'))
  assert.deepEqual(await gitProcesses(), git)
  held?.resolve()
  await fetchedOnce(id)
})

test('M23 a fetch that ends while no worker runs counts', async () => {
  const { id } = await killedAtFetch()
  held?.resolve()
  await until('it ended', async () => (await gitProcesses()).length === 0)
  await worker.start()
  await fetchedOnce(id)
})

test('A11 a fetch whose deadline passes while no worker runs is ended when there is one again', async () => {
  const scene = { before: await tracesOf(system, APP), serving: await visit() }
  await limit({ checkout: '8s' })
  const { id } = await killedAtFetch()
  assert.equal((await ended(id)).state, 'failed')
  await restartedWithoutFetch()
  await limit({})
  await assertNothingLeft(system, APP, scene)
})

test('G20 M23 the Compose program of a killed worker is the same process afterwards, and no line is lost or said twice', async () => {
  await remotes[COMPOSE]?.push(composeFiles())
  const id = await request(COMPOSE)
  let compose: readonly string[] = []
  await until('it replaces the container', async () => {
    compose = await processesOf(/\bcompose\b.*\bup\b/)
    return compose.length > 0 && /Recreate/.test(await system.logOf(id))
  })
  await worker.kill()
  await worker.start()
  assert.deepEqual(await processesOf(/\bcompose\b.*\bup\b/), compose)
  const deployment = await ended(id)
  succeeded(deployment)
  const lines = (await system.logOf(id)).split('\n')
  for (const said of [/Container .* Recreate$/, /Container .* Recreated$/]) {
    assert.equal(lines.filter(line => said.test(line)).length, 1, lines.join('\n'))
  }
  assert.ok(!lines.some(line => line.includes('told again')), lines.join('\n'))
})

test('A11 a deployment that is cancelled while no worker runs leaves no fetch behind', async () => {
  const scene = { before: await tracesOf(system, APP), serving: await visit() }
  await impatient()
  const { id } = await killedAtFetch()
  await system.together().client.send('POST', `/deployments/${id}/cancel`)
  assert.equal((await ended(id)).state, 'cancelled')
  await restartedWithoutFetch()
  await assertNothingLeft(system, APP, scene)
})

/** From now on the manager waits less for a worker than it would by itself. */
async function impatient(): Promise<void> {
  await worker.close()
  await system.restart({ environment: { FAIRLEAD_DEADLINES: 'worker=5s' } })
  worker = await partProcess(system.together().worker)
}

/** A deployment of a new commit whose fetch is held, with the worker killed. */
async function killedAtFetch() {
  held = Promise.withResolvers()
  fetches = 0
  await remotes[APP]?.push(files())
  const id = await request(APP)
  await until('it fetches', async () => fetches > 0)
  const git = await gitProcesses()
  assert.ok(git.length > 0)
  await worker.kill()
  assert.deepEqual(await gitProcesses(), git)
  return { id, git }
}

async function fetchedOnce(id: string): Promise<void> {
  succeeded(await ended(id))
  assert.equal(fetches, 1)
  assert.equal(await visit(), `version ${version}`)
  const log = await system.logOf(id)
  assert.ok(!log.includes('told again'), log)
  const lines = log.split('\n').filter(line => / files$/.test(line))
  assert.equal(lines.length, 1, log)
  const temporary = join(system.folder, 'worker', 'temporary')
  await until('no file of it is left', async () => (await readdir(temporary)).length === 0)
}

async function restartedWithoutFetch(): Promise<void> {
  await worker.start()
  await until('the fetch is ended', async () => (await gitProcesses()).length === 0)
  held?.resolve()
}

/** Forwards everything to the real Git server, fetches when nothing holds them. */
async function slowGit(): Promise<void> {
  const server = system.gitServer
  const slow = await fakeServer(stack, join(system.folder, 'slow-git'), async (asked, response, body) => {
    if (body.includes('command=fetch')) {
      fetches += 1
      await held?.promise
    }
    const answer = await forwarded({ url: server.url(APP), ca: server.ca }, asked, body)
    const { connection: _, 'transfer-encoding': __, 'keep-alive': ___, ...headers } = answer.headers
    response.writeHead(answer.status, headers).end(answer.body)
  })
  const { client } = system.together()
  const { version: known } = await client.get<{ version: number }>(`/repositories/${APP}`)
  const { username, password } = server
  const change = { url: slow.url.replace('app.git', `${APP}.git`), ca: slow.ca }
  const credential = { kind: 'https', username, password }
  await client.send('PATCH', `/repositories/${APP}`, { ...change, credential }, { 'if-match': `"${known}"` })
  gitHost = new URL(slow.url).host
}

async function gitProcesses(): Promise<readonly string[]> {
  return (await processesOf(/\bfetch\b/)).filter(line => line.includes(gitHost))
}

/** Pid, start and command line of each that is at work for the worker. */
async function processesOf(what: RegExp): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async pid => {
      const line = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ')
      const facts = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
      const fields = facts.slice(facts.lastIndexOf(')') + 2).split(' ')
      const isOurs = what.test(line) && (line.includes(system.folder) || line.includes(gitHost))
      return isOurs && fields[0] !== 'Z' ? [`${pid} ${fields[19]} ${line}`] : []
    }),
  )
  return found.flat().sort()
}

async function workerLog(): Promise<string> {
  return await readFile(worker.logFile, 'utf8')
}

async function limit(deadlines: Record<string, string>): Promise<void> {
  const { client } = system.together()
  const { version: known } = await client.get<{ version: number }>(`/apps/${APP}`)
  await client.send('PATCH', `/apps/${APP}`, { overrides: { deadlines } }, { 'if-match': `"${known}"` })
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

async function visit(): Promise<string> {
  return (await system.visit(`${APP}.localhost`)).body
}

function files() {
  version += 1
  return {
    'index.html': `version ${version}`,
    Dockerfile: `FROM ${system.baseImage}\nCOPY index.html /www/index.html\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n`,
    'fairlead.yaml': deployFile(APP, ['target: container', 'port: 8080', 'drain: 0s']),
  }
}

/** Its container ignores SIGTERM, so that replacing it takes as long as it is given. */
function composeFiles() {
  version += 1
  return {
    'compose.yaml': `services:
  web:
    image: ${system.baseImage}
    command: ["sh", "-c", "trap '' TERM; while :; do sleep 0.2; done"]
    stop_grace_period: 6s
    labels: { version: "${version}" }
`,
    'fairlead.yaml': deployFile(COMPOSE, ['target: compose']),
  }
}

function deployFile(app: string, settings: readonly string[]): string {
  return ['version: 1', 'apps:', `  ${app}:`, ...settings.map(line => `    ${line}`), ''].join('\n')
}
