import assert from 'node:assert/strict'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { freePort } from '#cli/demo/free-port.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import { SETTINGS } from '#lib/settings.ts'
import { stackSecret } from '#lib/stack-secret.ts'
import { command, mustRun } from './world/command.ts'
import { dockerWithLogin } from './world/docker-client.ts'
import { DOCUMENT, runJob } from './world/github-job.ts'
import { type PartProcess, partProcess } from './world/part-process.ts'
import { type System, startSystem } from './world/system.ts'
import { temporaryFolder } from './world/temporary-folder.ts'
import { processesWith, until } from './world/traces.ts'

/** Stacks of a host, deployed by signed calls as clients of the deployer before Fairlead make them. */
const stack = new AsyncDisposableStack()
const SECRET = 'correct horse battery staple'
const MEDIA = `media-${process.pid}`
const PRIVATE = `private-${process.pid}`
const SLOW = `slow_${process.pid}`
const EXAMPLES = join(import.meta.dirname, '../examples/deployer')
const PROGRAM = join(import.meta.dirname, '../bin/fairlead')
const CALLS = 60
let system: System
let worker: PartProcess
let folder: string
/** Where the owner of the host writes; the worker sees it through a link, and may not write. */
let own: string
let seen: string
let port: string

before(async () => {
  folder = await temporaryFolder(stack)
  own = join(folder, 'own')
  seen = join(folder, 'stacks')
  for (const each of [own, seen]) {
    await mkdir(each)
  }
  await mustRun('mount', ['--bind', own, seen], { folder: '/' })
  stack.defer(() => mustRun('umount', [seen], { folder: '/' }).then(() => undefined))
  await mustRun('mount', ['-o', 'remount,ro,bind', seen], { folder: '/' })
  await symlink(seen, join(folder, 'link'))
  const environment = {
    DEPLOY_SECRET: SECRET,
    STACKS_ROOT: join(folder, 'link'),
    DEPLOY_MIN_INTERVAL: '0',
    RATE_LIMIT_PER_MIN: String(CALLS),
  }
  system = await startSystem(stack, { environment })
  worker = await partProcess(system.together().worker)
  stack.defer(() => worker.close())
  port = new URL(system.together().url).port
  // So that the address in the document leads here.
  await writeFile(join(folder, '.curlrc'), `connect-to = "host:8080:127.0.0.1:${port}"\n`)
  stack.defer(async () => {
    for (const name of [MEDIA, PRIVATE, SLOW]) {
      await command('docker', ['compose', 'down', '-t', '0'], { folder: join(seen, name) }).catch(
        () => undefined,
      )
    }
  })
  await writeStack(MEDIA, web(system.baseImage, 'first'), 'TOKEN=a-token-of-the-stack\n')
  await start(MEDIA)
})

after(() => stack.disposeAsync())

test('R105 R107 R117 the curl and openssl lines of the document work as they are written', async () => {
  assert.equal(await shell('curl -sS -o /dev/null -w "%{http_code}" http://host:8080/health'), '200')
  assert.equal(await shell('curl -sS -o /dev/null -w "%{http_code}" -X POST http://host:8080/health'), '200')
  const printed = await shell(DOCUMENT.signName.replace("'media'", `'${MEDIA}'`))
  const byName = await shell(
    `curl -sS -X POST http://host:8080/deploy/${MEDIA} -H "X-Signature: ${printed.trim()}"`,
  )
  assert.deepEqual(stepsIn(byName), ['status', 'config', 'pull', 'up'])
  const byBody = await shell(DOCUMENT.callWithBody.replaceAll('"media"', `"${MEDIA}"`))
  assert.equal(JSON.parse(byBody).ok, true, byBody)
})

test('R101 R103 R109 R117 the GitHub Actions job of the document updates a running stack, in a root that nobody may write', async () => {
  await writeStack(MEDIA, web(system.baseImage, 'second'), 'TOKEN=a-token-of-the-stack\n')
  const { code, stdout } = await job(MEDIA)
  assert.deepEqual([code, /HTTP: 200/.test(stdout)], [0, true], stdout)
  const [container = ''] = await containersOf(MEDIA)
  const shown = await mustRun('docker', ['inspect', '--format', '{{json .Config}}', container], { folder })
  const { Env, Labels } = JSON.parse(shown) as { Env: string[]; Labels: Record<string, string> }
  assert.equal(Labels.version, 'second')
  // Its own .env, and nothing of the worker's or manager's environment.
  assert.ok(Env.includes('TOKEN=a-token-of-the-stack') && Env.includes('LEAKED='), Env.join('\n'))
})

test('R112 R117 the job fails, with the reason, when the stack is not there, does not run, or does not come up', async () => {
  assert.match((await failedJob(`no-${MEDIA}`)).stdout, /HTTP: 404/)
  await writeStack(`down-${MEDIA}`, web(system.baseImage, 'first'))
  assert.match((await failedJob(`down-${MEDIA}`)).stdout, /HTTP: 409/)
  assert.match((await failedJob(MEDIA, 'another secret')).stdout, /HTTP: 401/)
  await writeStack(MEDIA, 'services: { web: { image: [] } }\n')
  const { stdout } = await failedJob(MEDIA)
  assert.match(stdout, /HTTP: 500/)
  assert.match(stdout, /"name":"status","ok":false/)
  assert.match(stdout, /services\.web\.image/)
  await writeStack(MEDIA, web(system.baseImage, 'second'), 'TOKEN=a-token-of-the-stack\n')
})

test('a value of the .env of a stack is in no answer and no log, also when Compose names it', async () => {
  await writeStack(
    MEDIA,
    `${web(system.baseImage, 'second')}    ports: ["\${TOKEN}:80"]\n`,
    'TOKEN=a-token-of-the-stack\n',
  )
  const { status, body } = await call(MEDIA)
  assert.equal(status, 500)
  assert.match(JSON.stringify(body.steps), /\[redacted\]/)
  const log = await system.logOf(body.deployment)
  for (const text of [JSON.stringify(body), log]) {
    assert.ok(!text.includes('a-token-of-the-stack'), text)
  }
  await writeStack(MEDIA, web(system.baseImage, 'second'), 'TOKEN=a-token-of-the-stack\n')
  const fine = await call(MEDIA)
  assert.equal(fine.status, 200)
  assert.ok(!(await system.logOf(fine.body.deployment)).includes('a-token-of-the-stack'))
})

test('R113 a stack pulls from a private registry with the account in its own folder, and another one may not', async () => {
  const { registry } = system
  const image = `${registry.address}/private/web:1`
  const login = await dockerWithLogin(join(folder, 'docker'), registry)
  await mustRun('docker', ['tag', system.baseImage, image], { folder })
  await mustRun('docker', ['push', image], { folder, env: login })
  await writeStack(PRIVATE, web(image, 'first').replace(/^ *pull_policy.*\n/m, ''))
  await start(PRIVATE)
  const refused = await call(PRIVATE)
  assert.deepEqual([refused.status, refused.body.steps.at(-1)?.name], [500, 'pull'])
  await dockerWithLogin(join(own, PRIVATE, '.docker'), registry)
  assert.equal((await call(PRIVATE)).status, 200)
})

test('R110 a pull that never ends is ended at its time, with all that it started', async () => {
  const deaf = createServer().listen(0, '127.0.0.1')
  stack.defer(async () => void deaf.close())
  await until('it listens', async () => deaf.listening)
  const { port: deafPort } = deaf.address() as { port: number }
  const services = `${web(system.baseImage, 'first')}  stuck: { image: "127.0.0.1:${deafPort}/stuck:1" }\n`
  await writeStack(PRIVATE, services)
  await system
    .together()
    .client.send('PATCH', `/apps/${PRIVATE}`, { overrides: { deadlines: { pull: '3s' } } })
  const { status, body } = await call(PRIVATE)
  assert.deepEqual([status, body.error, body.steps.at(-1)?.name], [500, 'step-timed-out', 'pull'])
  await until('it is gone', async () => (await composeAt('pull')).length === 0)
})

test('R101 M23 a worker that is killed while a stack comes up goes on with it, and the caller hears how it ended', async () => {
  await writeStack(SLOW, stubborn('first'))
  await start(SLOW)
  await writeStack(SLOW, stubborn('second'))
  const answered = call(SLOW)
  await until('it is coming up', async () => (await composeAt('up')).length > 0)
  await worker.kill()
  assert.ok((await composeAt('up')).length > 0)
  await worker.start()
  const { status, body } = await answered
  assert.equal(status, 200, JSON.stringify(body))
  const [container = ''] = await containersOf(SLOW)
  const version = await mustRun('docker', ['inspect', '--format', '{{.Config.Labels.version}}', container], {
    folder,
  })
  assert.equal(version.trim(), 'second')
  assert.ok(!(await system.logOf(body.deployment)).includes('told again'))
  const { client } = system.together()
  const { trigger, state, steps } = await client.get<DeploymentDetail>(`/deployments/${body.deployment}`)
  assert.deepEqual([trigger.kind, state], ['signed', 'succeeded'])
  assert.deepEqual(
    steps.map(({ name }) => name),
    ['status', 'config', 'pull', 'up'],
  )
})

test('R115 R117 the workflow of the repository signs with v2, and its settings are those that are read', async () => {
  const secrets = { DEPLOY_SECRET: stackSecret(SECRET, MEDIA), DEPLOYER_URL: 'http://host:8080' }
  const workflow = await readFile(join(EXAMPLES, 'deploy-stack.yml'), 'utf8')
  const { code, stdout, stderr } = await runJob(workflow, { folder, inputs: { stack: MEDIA }, secrets })
  assert.deepEqual([code, /HTTP: 200/.test(stdout)], [0, true], stdout + stderr)
  const settings = await readFile(join(EXAMPLES, '.env.example'), 'utf8')
  const names = [...settings.matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, name]) => name)
  assert.deepEqual(
    names.filter(name => !SETTINGS.some(setting => setting.name === name)),
    [],
  )
  assert.ok(names.includes('DEPLOY_SECRET') && names.includes('UP_TIMEOUT'))
})

test('R119 the suggested .gitignore keeps the secrets of a repository of stacks out of it', async () => {
  const repository = join(folder, 'repository')
  await mkdir(repository)
  await mustRun('git', ['init', '--quiet'], { folder: repository })
  await writeFile(join(repository, '.gitignore'), await readFile(join(EXAMPLES, 'stacks.gitignore')))
  const secret = [
    '.env',
    '.env.local',
    'secrets/key',
    'media/.env',
    'media/secrets/key',
    'media/.docker/config.json',
  ]
  const plain = ['media/compose.yaml', 'media/app.env.md']
  const asked = await command('git', ['check-ignore', ...secret, ...plain], { folder: repository })
  assert.deepEqual(asked.stdout.trim().split('\n').sort(), secret.toSorted())
})

test('the secret of one stack comes from the command line and from openssl alike', async () => {
  const env = { DEPLOY_SECRET: SECRET, FAIRLEAD_DATA: folder }
  const printed = await mustRun(PROGRAM, ['deploy-secret', MEDIA], { folder, env })
  assert.equal(printed.trim(), stackSecret(SECRET, MEDIA))
  const page = await readFile(join(import.meta.dirname, '../docs/deployer.md'), 'utf8')
  const [, line = ''] = /^(openssl kdf .*)$/m.exec(page) ?? []
  assert.equal((await shell(line.replace('salt:media', `salt:${MEDIA}`))).trim(), printed.trim())
  assert.equal((await call(MEDIA, printed.trim())).status, 200)
  assert.equal((await call(PRIVATE, printed.trim())).status, 401)
})

test('R102 neither part starts with half of it, and says why', async () => {
  const env = {
    FAIRLEAD_DATA: join(folder, 'half'),
    FAIRLEAD_LISTEN: `127.0.0.1:${await freePort()}`,
    FAIRLEAD_WORKER_LISTEN: `127.0.0.1:${await freePort()}`,
  }
  for (const [words, given, reason] of [
    [['worker'], { STACKS_ROOT: join(folder, 'nothing') }, /is no folder on this host/],
    [['up'], { STACKS_ROOT: seen }, /DEPLOY_SECRET is not set/],
    [['up'], { STACKS_ROOT: seen, DEPLOY_SECRET: '' }, /DEPLOY_SECRET is empty/],
  ] as const) {
    const { code, stdout, stderr } = await command(PROGRAM, words, { folder, env: { ...env, ...given } })
    assert.equal(code, 78, stdout + stderr)
    assert.match(stdout + stderr, reason)
  }
})

test('R108 R114 calls beyond the limit are refused, and the log of the manager has each step', async () => {
  const url = `http://127.0.0.1:${port}/deploy/${MEDIA}`
  const calls = Array.from({ length: CALLS + 1 }, async () => (await fetch(url, { method: 'POST' })).status)
  const statuses = await Promise.all(calls)
  assert.ok(
    statuses.includes(429) && statuses.every(status => status === 401 || status === 429),
    String(statuses),
  )
  const log = await readFile(system.together().manager.logFile, 'utf8')
  const lines = log.split('\n').filter(line => line.includes('"event":"deploy.step"'))
  const failed = lines
    .map(line => JSON.parse(line))
    .find(line => line.ok === false && line.step === 'status' && line.exit_code > 0)
  assert.equal(failed.stack, MEDIA)
  assert.ok(failed.duration_ms >= 0)
})

interface Answer {
  readonly status: number
  readonly body: {
    readonly ok: boolean
    readonly deployment: string
    readonly error?: string
    readonly steps: readonly { readonly name: string; readonly tail: string }[]
  }
}

async function call(name: string, secret = SECRET): Promise<Answer> {
  const script = `sig=$(printf '%s' "$NAME" | openssl dgst -sha256 -hmac "$DEPLOY_SECRET" -binary | xxd -p -c256)
curl -sS -w '\\n%{http_code}' -X POST "http://host:8080/deploy/$NAME" -H "X-Signature: $sig"`
  const [body = '', status] = (await shell(script, { DEPLOY_SECRET: secret, NAME: name })).split('\n')
  return { status: Number(status), body: JSON.parse(body) }
}

async function shell(script: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  return await mustRun('bash', ['-eo', 'pipefail', '-c', script], {
    folder,
    env: { DEPLOY_SECRET: SECRET, ...env },
  })
}

async function job(name: string, secret = SECRET) {
  const secrets = { DEPLOY_SECRET: secret, DEPLOYER_URL: 'http://host:8080' }
  return await runJob(DOCUMENT.job, { folder, inputs: { stack: name }, secrets })
}

async function failedJob(name: string, secret?: string) {
  const ended = await job(name, secret)
  assert.equal(ended.code, 1, ended.stdout + ended.stderr)
  assert.match(ended.stderr, /Deploy falhou/)
  return ended
}

function stepsIn(answer: string): string[] {
  const { ok, steps } = JSON.parse(answer) as Answer['body']
  assert.ok(ok, answer)
  return steps.map(({ name }) => name)
}

async function writeStack(name: string, compose: string, env?: string): Promise<void> {
  const file = join(own, name, 'compose.yaml')
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, compose)
  if (env !== undefined) {
    await writeFile(join(own, name, '.env'), env)
  }
}

/** As the owner of the host does it, once. */
async function start(name: string): Promise<void> {
  await mustRun('docker', ['compose', 'up', '-d'], { folder: join(seen, name) })
}

async function containersOf(name: string): Promise<string[]> {
  const filter = `label=com.docker.compose.project=${name}`
  return (await mustRun('docker', ['ps', '--quiet', '--filter', filter], { folder }))
    .split('\n')
    .filter(Boolean)
}

/** Compose processes of this worker in this step. */
async function composeAt(step: string): Promise<readonly string[]> {
  const words = step === 'up' ? 'compose up -d --remove-orphans' : `compose ${step}`
  return await processesWith(words)
}

function web(image: string, version: string): string {
  return `services:
  web:
    image: ${image}
    pull_policy: missing
    command: ["sh", "-c", "while :; do sleep 0.2; done"]
    stop_grace_period: 0s
    environment: { TOKEN: "\${TOKEN:-}", LEAKED: "\${DEPLOY_SECRET:-}\${FAIRLEAD_DATA:-}\${STACKS_ROOT:-}" }
    labels: { version: "${version}" }
`
}

/** Its container ignores SIGTERM, so that replacing it takes as long as it is given. */
function stubborn(version: string): string {
  return web(system.baseImage, version)
    .replace('while :', "trap '' TERM; while :")
    .replace('stop_grace_period: 0s', 'stop_grace_period: 6s')
}
