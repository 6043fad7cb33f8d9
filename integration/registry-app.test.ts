import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { freePort } from '#cli/demo/free-port.ts'
import type { AppDocument } from '#contract/rest/apps.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import type { PruneDocument } from '#contract/rest/host-prune.ts'
import type { CollectionDocument, RegistryDocument, RegistryRequested } from '#contract/rest/registry.ts'
import { systemClock } from '#lib/clock.ts'
import { command, mustRun } from './world/command.ts'
import { dockerWithLogin } from './world/docker-client.ts'
import { makeRegistryImage } from './world/registry-image.ts'
import { type SecondEngine, startSecondEngine } from './world/second-engine.ts'
import { type Remote, type System, startSystem } from './world/system.ts'

/** The registry that Fairlead runs itself, and another engine that pulls from it over the network. */
const stack = new AsyncDisposableStack()
const PROGRAM = join(import.meta.dirname, '../bin/fairlead')
const APP = `site-${process.pid}`
/** What an earlier run left in the build cache would be as old as that run. */
const BORN = `${Date.now()}\n`
const REGISTRY = `registry-${process.pid}`
let system: System
let other: SecondEngine
let remote: Remote
let address = ''
let image = ''
let pinned = ''
let password = ''
let latest = ''

before(async () => {
  other = await startSecondEngine(stack)
  // When the worker, which would start it again, and the containers of the app are gone.
  stack.defer(removeRegistry)
  system = await startSystem(stack, {
    environment: { FAIRLEAD_OBSERVE_SECONDS: '1', FAIRLEAD_KEEP_RELEASES: '1' },
  })
  const policy = { allowPrivate: ['127.0.0.0/8'], trust: '/etc/docker/certs.d' }
  await writeFile(join(system.folder, 'worker/policy.yaml'), JSON.stringify(policy), { mode: 0o600 })
  await system.restart({ registry: undefined })
  image = `${system.baseImage.split('/')[0]}/registry:2`
  await makeRegistryImage(system.folder, { name: image, base: system.baseImage })
  stack.defer(() => command('docker', ['rmi', '--force', image], { folder: '/' }).then(() => {}))
  address = `${other.hostIp}:${await freePort()}`
  stack.defer(() => rm(join('/etc/docker/certs.d', address), { recursive: true, force: true }))
  remote = await system.addRepository(APP, files('one'))
})

after(() => stack.disposeAsync())

test('R93 R95 "registry up" runs a registry with TLS and a password, and this engine trusts it', async () => {
  const before = await registry()
  equal(before.configured_by, null)
  const { stdout, stderr } = await fairlead(
    ...['registry', 'up', '--name', other.hostIp, '--port', portOf(address)],
    ...['--image', image, '--app', REGISTRY],
  )
  password = /shown this once: (\S+)/.exec(stderr)?.[1] ?? ''
  ok(password.length > 20, stderr)
  match(stdout, /trusts it \(\/etc\/docker\/certs\.d\//)
  const now = await registry()
  deepEqual([now.configured_by, now.address, now.username], ['app', address, 'fairlead'])
  equal(await readFile(join('/etc/docker/certs.d', address, 'ca.crt'), 'utf8'), now.authority)
  const [made] = JSON.parse(await docker('inspect', REGISTRY))
  equal(made.HostConfig.RestartPolicy.Name, 'always')
  for (const variable of ['HTTP_ADDR=0.0.0.0:443', 'HTTP_TLS_CERTIFICATE=/certs/domain.crt']) {
    ok(made.Config.Env.includes(`REGISTRY_${variable}`), variable)
  }
  const mounted = made.Mounts.map(({ Destination, RW }: { Destination: string; RW: boolean }) => [
    Destination,
    RW,
  ])
  deepEqual(mounted.toSorted(), [
    ['/auth', false],
    ['/certs', false],
    ['/etc/fairlead-registry', false],
    ['/var/lib/registry', true],
  ])
  doesNotMatch(JSON.stringify(made.Config), new RegExp(password))
  await until('the registry is seen running', async () => {
    const { observed } = await system.together().client.get<AppDocument>(`/apps/${REGISTRY}`)
    return observed.state === 'running'
  })
})

test('R94 R96 another engine pulls the image of a deployment by digest and runs it, with trust and password', async () => {
  const done = await system.deploy(APP)
  equal(done.state, 'succeeded', JSON.stringify(done.error))
  pinned = pushedReference(done)
  ok(pinned.startsWith(`${address}/`), pinned)
  const env = await dockerWithLogin(join(other.folder, 'login'), { address, username: 'fairlead', password })
  const pull = (environment = {}) =>
    command('docker', ['--host', `unix://${other.socket}`, 'pull', '--quiet', pinned], {
      folder: other.folder,
      env: environment,
    })
  match((await pull(env)).stderr, /x509/)
  await other.trust(address, (await registry()).authority ?? '')
  match((await pull()).stderr, /no basic auth credentials|unauthorized/)
  const pulled = await pull(env)
  equal(pulled.code, 0, pulled.stderr)
  equal((await other.docker('run', '--rm', '--network=none', pinned, 'cat', '/text')).trim(), 'one')
})

test('R99 the doctor names an engine that does not trust the registry, and what mends that', async () => {
  const doctor = async () => {
    const { url, tokenFile } = system.together()
    const env = { FAIRLEAD_MANAGER: url, FAIRLEAD_TOKEN_FILE: tokenFile, PATH: process.env.PATH ?? '' }
    const { code, stdout } = await command(PROGRAM, ['doctor', '--json'], { folder: system.folder, env })
    const { checks } = JSON.parse(stdout) as { checks: { name: string; mend: string | null }[] }
    return { code, wrong: checks.filter(({ mend }) => mend !== null), names: checks.map(({ name }) => name) }
  }
  await rm(join('/etc/docker/certs.d', address), { recursive: true })
  const ill = await doctor()
  equal(ill.code, 1)
  match(ill.wrong.find(({ name }) => name === 'registry')?.mend ?? '', /fairlead registry trust/)
  await fairlead('registry', 'trust')
  const well = await doctor()
  equal(well.code, well.wrong.length === 0 ? 0 : 1)
  deepEqual(
    well.wrong.filter(({ name }) => name === 'registry'),
    [],
  )
  const looked = [
    'engine',
    'compose',
    'disk',
    'engine disk',
    'proxy',
    'registry',
    'clock',
    'certificate',
    'git',
  ]
  for (const name of looked) {
    ok(well.names.includes(name), name)
  }
})

test('R99 a registry that somebody stops is started again', async () => {
  await docker('stop', '--time=5', REGISTRY)
  await until('the registry answers again', async () => {
    const app = await system.together().client.get<AppDocument>(`/apps/${REGISTRY}`)
    return app.observed.state === 'running' && app.deployment?.trigger.kind === 'drift'
      ? app.deployment.state === 'succeeded'
      : false
  })
})

test('the registry before serves on when a new one does not start', async () => {
  const { client } = system.together()
  const { deployment } = await client.send<RegistryRequested>('PUT', '/registry', { image: system.baseImage })
  const ended = await end(deployment.id)
  deepEqual([ended.state, ended.error?.code], ['failed', 'REGISTRY_NOT_SERVING'])
  const env = await dockerWithLogin(join(other.folder, 'login'), { address, username: 'fairlead', password })
  const pulled = await command('docker', ['--host', `unix://${other.socket}`, 'pull', '--quiet', pinned], {
    folder: other.folder,
    env,
  })
  equal(pulled.code, 0, pulled.stderr)
  equal((await docker('ps', '--quiet', '--filter', `name=${REGISTRY}`)).trim().split('\n').length, 1)
  const again = await client.send<RegistryRequested>('PUT', '/registry', { image })
  equal((await end(again.deployment.id)).state, 'succeeded')
})

test('a new password counts for deployments at once, and the old one for nobody', async () => {
  const { stderr } = await fairlead('registry', 'passwd')
  const fresh = /shown this once: (\S+)/.exec(stderr)?.[1] ?? ''
  ok(fresh !== '' && fresh !== password, stderr)
  await remote.push(files('two'))
  const done = await system.deploy(APP)
  equal(done.state, 'succeeded', JSON.stringify(done.error))
  const old = await dockerWithLogin(join(other.folder, 'login'), { address, username: 'fairlead', password })
  const refused = await command(
    'docker',
    ['--host', `unix://${other.socket}`, 'pull', '--quiet', pushedReference(done)],
    { folder: other.folder, env: old },
  )
  match(refused.stderr, /unauthorized/)
  password = fresh
})

test('R43 a collection deletes from the registry what no release names, and nothing else', async () => {
  const { client } = system.together()
  await remote.push(files('three'))
  const done = await system.deploy(APP)
  equal(done.state, 'succeeded', JSON.stringify(done.error))
  const current = pushedReference(done)
  const login = await loginHere()
  const byHand = `${address}/by-hand:1`
  await docker('tag', system.baseImage, byHand)
  await mustRun('docker', ['push', '--quiet', byHand], { folder: system.folder, env: login })
  const now = '/registry/collection?older_than_seconds=0'
  const young = await client.get<CollectionDocument>('/registry/collection')
  deepEqual(young.gone, [])
  equal(young.kept.find(({ digest }) => digest === digestOf(pinned))?.why, 'it is new')
  const foreign = `${address}/foreign:t-${'0'.repeat(32)}`
  await docker('tag', system.baseImage, foreign)
  await mustRun('docker', ['push', '--quiet', foreign], { folder: system.folder, env: login })
  const preview = await client.get<CollectionDocument>(now)
  const digests = (list: readonly { digest: string }[]) => list.map(({ digest }) => digest)
  ok(digests(preview.gone).includes(digestOf(pinned)), JSON.stringify(preview))
  ok(digests(preview.kept).includes(digestOf(current)), JSON.stringify(preview))
  match(preview.kept.find(({ repository }) => repository === 'by-hand')?.why ?? '', /"1"/)
  const why = preview.kept.find(({ repository }) => repository === 'foreign')?.why ?? ''
  equal(why, 'no app of this manager made it')
  ok(preview.bytes > 0)
  await fairlead('registry', 'collect', '--older-than', '1s')
  const again = await client.get<CollectionDocument>(now)
  deepEqual([again.gone, digests(again.kept).toSorted()], [[], digests(preview.kept).toSorted()])
  for (const image of [current, byHand]) {
    await docker('rmi', '--force', image)
    await mustRun('docker', ['pull', '--quiet', image], { folder: system.folder, env: login })
  }
  await docker('rmi', '--force', pinned)
  const gone = await command('docker', ['pull', '--quiet', pinned], { folder: system.folder, env: login })
  match(gone.stderr, /not found|manifest unknown/)
  // Its layers are gone too: what is pushed after that must be whole.
  await remote.push(files('one'))
  const back = await system.deploy(APP)
  equal(back.state, 'succeeded', JSON.stringify(back.error))
  latest = pushedReference(back)
  await other.docker('image', 'rm', '--force', pinned)
  const env = await dockerWithLogin(join(other.folder, 'login'), { address, username: 'fairlead', password })
  const pull = ['--host', `unix://${other.socket}`, 'pull', '--quiet', latest]
  await mustRun('docker', pull, { folder: other.folder, env })
})

test('R43 a host is pruned of what nothing needs; a dry run only tells', async () => {
  const { client } = system.together()
  const [{ name: host = '' } = {}] = (await client.get<{ items: { name: string }[] }>('/hosts')).items
  const leftover = `${image.split('/')[0]}/leftover:t-${'0'.repeat(32)}`
  const label = `--label=io.fairlead.app=${APP}`
  const env = { DOCKER_BUILDKIT: '0' }
  const folder = system.folder
  await writeFile(join(folder, 'Leftover'), `FROM ${system.baseImage}\nCMD ["true"]\n`)
  await mustRun('docker', ['build', '--quiet', label, '--tag', leftover, '--file', 'Leftover', '.'], {
    folder,
    env,
  })
  const prune = async (dry_run: boolean) =>
    await client.send<PruneDocument>('POST', `/hosts/${host}/prune`, { dry_run, older_than_seconds: 0 })
  const names = ({ engines }: PruneDocument) =>
    engines.flatMap(({ images }) => images.flatMap(each => each.names))
  const told = await prune(true)
  ok(names(told).includes(leftover), JSON.stringify(told))
  deepEqual(
    told.engines.map(({ engine, after }) => [engine, after]),
    [['local', null]],
  )
  ok(await docker('image', 'inspect', leftover))
  const done = await prune(false)
  ok(names(done).includes(leftover), JSON.stringify(done))
  const [local] = done.engines
  ok(local && local.after !== null && local.before.layer_bytes > 0)
  equal((await command('docker', ['image', 'inspect', leftover], { folder })).code, 1)
  // What the release runs is here, and the volume of the registry.
  equal((await system.deploy(APP)).outcome, 'nothing-to-do')
  ok(await docker('volume', 'inspect', `${REGISTRY}-data`))
})

test('"registry down" leaves nothing but the images, which are there again after "registry up"', async () => {
  await fairlead('registry', 'down')
  equal((await docker('ps', '--all', '--quiet', '--filter', `name=${REGISTRY}`)).trim(), '')
  equal((await registry()).configured_by, null)
  await fairlead(
    ...['registry', 'up', '--name', other.hostIp, '--port', portOf(address)],
    ...['--image', image, '--app', REGISTRY],
  )
  await docker('rmi', '--force', latest)
  const { stderr } = await fairlead('registry', 'passwd')
  const fresh = /shown this once: (\S+)/.exec(stderr)?.[1] ?? ''
  const env = await dockerWithLogin(join(system.folder, 'login'), {
    address,
    username: 'fairlead',
    password: fresh,
  })
  await mustRun('docker', ['pull', '--quiet', latest], { folder: system.folder, env })
})

function files(text: string): Record<string, string> {
  return {
    Dockerfile: `FROM ${system.baseImage}\nCOPY text born /\nEXPOSE 8080\nCMD ["httpd","-f","-p","8080"]\n`,
    text: `${text}\n`,
    born: BORN,
  }
}

async function registry(): Promise<RegistryDocument> {
  return await system.together().client.get<RegistryDocument>('/registry')
}

async function end(id: string): Promise<DeploymentDetail> {
  const { client } = system.together()
  let found: DeploymentDetail | undefined
  await until('the deployment ends', async () => {
    found = await client.get<DeploymentDetail>(`/deployments/${id}`)
    return found.finished_at !== null
  })
  return found as DeploymentDetail
}

function pushedReference({ evidence }: DeploymentDetail): string {
  return (evidence as { push?: { reference?: string } } | null)?.push?.reference ?? ''
}

function digestOf(reference: string): string {
  return reference.split('@')[1] ?? ''
}

async function loginHere(): Promise<Readonly<Record<string, string>>> {
  return await dockerWithLogin(join(system.folder, 'login'), { address, username: 'fairlead', password })
}

async function fairlead(...words: string[]): Promise<{ stdout: string; stderr: string }> {
  const { url, tokenFile } = system.together()
  const env = { FAIRLEAD_MANAGER: url, FAIRLEAD_TOKEN_FILE: tokenFile, PATH: process.env.PATH ?? '' }
  const result = await command(PROGRAM, words, { folder: system.folder, env })
  equal(result.code, 0, `${words.join(' ')}: ${result.stdout}${result.stderr}`)
  return result
}

async function docker(...words: string[]): Promise<string> {
  return await mustRun('docker', words, { folder: system.folder })
}

async function until(what: string, isIt: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isIt()); tries++) {
    ok(tries < 480, `in vain: ${what}`)
    await systemClock.sleep(250)
  }
}

function portOf(text: string): string {
  return text.split(':')[1] ?? ''
}

async function removeRegistry(): Promise<void> {
  await command('docker', ['rm', '--force', '--volumes', REGISTRY], { folder: '/' })
  await command('docker', ['volume', 'rm', '--force', `${REGISTRY}-data`], { folder: '/' })
  const filter = `reference=${address}/*`
  const images = await command(
    'docker',
    ['images', '--format', '{{.Repository}}:{{.Tag}}', '--filter', filter],
    {
      folder: '/',
    },
  )
  await command('docker', ['rmi', '--force', ...images.stdout.split('\n').filter(Boolean)], { folder: '/' })
}
