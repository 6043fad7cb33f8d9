import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { get } from 'node:https'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { freePort } from '#cli/demo/free-port.ts'
import { type Registry, startRegistry } from '#cli/demo/registry.ts'
import type { Hook } from '#cli/demo/send-webhook.ts'
import type { ArtifactDocument } from '#contract/rest/artifacts.ts'
import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { command, mustRun } from './world/command.ts'
import { dockerWithLogin } from './world/docker-client.ts'
import { readExample } from './world/example.ts'
import { type Remote, type System, startSystem } from './world/system.ts'

const stack = new AsyncDisposableStack()
const APP = `artifacts-${process.pid}`
/** Another name than the app's: a file of the tree says it. */
const SERVICE = `${APP}-orders`
const OTHER = { username: 'grace', password: 'a-password-of-the-other' }
/** As the package manager of Alpine leaves it. */
const LIST = "mkdir -p /lib/apk/db && printf 'P:musl\\nV:1.2.5-r0\\nA:x86_64\\n' > /lib/apk/db/installed"
let system: System
let remote: Remote
let hook: Hook
let other: { address: string; start(): Promise<Registry> }

before(async () => {
  system = await startSystem(stack)
  const folder = join(system.folder, 'other-registry')
  const port = await freePort()
  other = { address: `127.0.0.1:${port}`, start: () => startRegistry({ folder, port, ...OTHER }) }
  // Images whose last registry reference was taken away are not found by the address of the registry.
  stack.defer(() => removeImages())
  remote = await system.addRepository(APP, files({ version: '0.1.0', says: 'first' }))
  const { client } = system.together()
  await merge()
  await client.send('PATCH', `/repositories/${APP}`, { branch: 'develop' })
  hook = await client.send<Hook>('POST', `/repositories/${APP}/webhook-secret`, { git_host: 'github' })
})
after(() => stack.disposeAsync())

test('R86 R87 R88 R89 R90 R91 a pull request merged into develop builds service_name:version of its files once, and the badge says it', async () => {
  const commit = await remote.push(files({ version: '1.0.0', says: 'one' }))
  await send('pull_request', pullRequest('main', commit), 'ignored')
  await send('pull_request', { ...pullRequest('develop', commit), action: 'opened' }, 'ignored')
  await merge()
  await send('pull_request', pullRequest('develop', commit))
  await send('push', {
    ref: 'refs/heads/develop',
    before: '1'.repeat(40),
    after: commit,
    repository: { id: 1 },
  })
  const ended = await untilAllEnded()
  assert.ok(
    ended.every(({ state }) => state === 'succeeded'),
    JSON.stringify(ended),
  )
  assert.equal(ended.filter(({ outcome }) => outcome === 'deployed').length, 1)
  const [made] = await artifacts()
  assert.ok(made)
  const { service_name: name, version, image, references } = made
  assert.deepEqual([name, version, image, made.commit], [SERVICE, '1.0.0', `${SERVICE}:1.0.0`, commit])
  assert.deepEqual(
    references.map(({ reference }) => reference),
    [`${system.registry.address}/${SERVICE}:1.0.0`],
  )
  assert.match(await docker('run', '--rm', image), /one/)
  assert.equal(await pulled(`${SERVICE}@${references[0]?.digest}`), 'one')
  const badge = `${system.together().client.url}/badges/${APP}.svg`
  await system.together().client.send('PATCH', `/apps/${APP}`, { badge: 'public' })
  assert.match(await (await fetch(badge)).text(), />build<.*>1\.0\.0</s)
})

test('what an artefact is made of and how lies beside it in the registry, and is read without it', async () => {
  const { client } = system.together()
  const [made] = await artifacts()
  assert.ok(made)
  const [{ reference, digest } = { reference: '', digest: '' }] = made.references
  assert.deepEqual(
    made.attestations.map(({ kind }) => kind),
    ['sbom', 'provenance'],
  )
  const index = await inRegistry(`manifests/${digest.replace(':', '-')}`)
  const texts = await Promise.all(
    made.attestations.map(async ({ kind, digest: text, manifests }) => {
      assert.deepEqual([manifests.length, manifests[0]?.reference], [1, reference])
      const manifest = await inRegistry(`manifests/${manifests[0]?.digest}`)
      assert.deepEqual([manifest.subject.digest, manifest.layers[0].digest], [digest, text])
      assert.ok(index.manifests.some((each: { digest: string }) => each.digest === manifests[0]?.digest))
      const told = await client.get<typeof manifest>(`/artifacts/${made.id}/${kind}`)
      assert.deepEqual(await inRegistry(`blobs/${text}`), told)
      return told
    }),
  )
  const [bill, statement] = texts
  assert.deepEqual(
    bill.components.map(({ purl }: { purl?: string }) => purl),
    ['pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64'],
  )
  assert.equal(statement.subject[0].digest.sha256, digest.replace('sha256:', ''))
  const { repository, commit } = statement.predicate.buildDefinition.externalParameters
  assert.equal(commit, made.commit)
  assert.match(repository, new RegExp(`${APP}\\.git$`))
  assert.ok(!(await docker('ps', '--all', '--format', '{{.Names}}')).includes(`${APP}-contents`))
})

test('R88 POST /artifacts makes the version that it names; again it is nothing to do', async () => {
  const first = await build('1.0.1')
  assert.deepEqual([first.state, first.outcome], ['succeeded', 'deployed'])
  const again = await build('1.0.1')
  assert.deepEqual([again.state, again.outcome], ['succeeded', 'nothing-to-do'])
  const [made] = await artifacts()
  assert.deepEqual([made?.version, made?.deployment], ['1.0.1', first.id])
  assert.equal(await pulled(`${SERVICE}:1.0.1`), 'one')
})

test('a version that exists with another content is refused, and stays what it was, until the app overwrites it', async () => {
  await remote.push(files({ version: '1.0.0', says: 'two' }))
  await merge()
  const refused = await system.deploy(APP)
  assert.deepEqual([refused.state, refused.error?.code], ['failed', 'VERSION_EXISTS'])
  assert.match(refused.error?.hint ?? '', /overwrite/)
  assert.equal(await pulled(`${SERVICE}:1.0.0`), 'one')
  await remote.push(files({ version: '1.0.0', says: 'two', more: ['    overwrite: true'] }))
  await merge()
  assert.equal((await system.deploy(APP)).outcome, 'deployed')
  assert.equal(await pulled(`${SERVICE}:1.0.0`), 'two')
})

test('R96 a registry that is down fails the deployment by name, and the next one goes on there with the same digest', async () => {
  const push = [
    '    push:',
    `      - ${system.registry.address}/{name}:{version}`,
    `      - ${system.registry.address}/{name}:latest`,
    `      - { reference: "${other.address}/team/{name}:{version}", username: ${OTHER.username}, password: $OTHER, ca: $CA }`,
  ]
  const registry = await other.start()
  await registry.close()
  const { client } = system.together()
  await client.send('PUT', `/apps/${APP}/secrets/OTHER`, { value: OTHER.password })
  await client.send('PUT', `/apps/${APP}/secrets/CA`, { value: registry.ca })
  await remote.push(files({ version: '2.0.0', says: 'three', more: push }))
  await merge()
  const here = `${system.registry.address}/${SERVICE}:2.0.0`
  const there = `${other.address}/team/${SERVICE}:2.0.0`
  const failed = await system.deploy(APP)
  assert.deepEqual([failed.state, failed.error?.code], ['failed', 'PUSH_INCOMPLETE'])
  assert.deepEqual(failed.error?.facts?.has, [here])
  assert.deepEqual(Object.keys(failed.error?.facts?.failed as object), [there])
  assert.ok(!(await artifacts()).some(({ version }) => version === '2.0.0'))
  stack.defer((await other.start()).close)
  const ended = await system.deploy(APP)
  assert.equal(ended.state, 'succeeded', JSON.stringify(ended.error))
  const [made] = await artifacts()
  const digests = Object.fromEntries(
    made?.references.map(({ reference, digest }) => [reference, digest]) ?? [],
  )
  const latest = `${system.registry.address}/${SERVICE}:latest`
  assert.deepEqual(Object.keys(digests), [here, latest, there])
  assert.equal(new Set(Object.values(digests)).size, 1)
  assert.equal(await pulled(`team/${SERVICE}:2.0.0`, { address: other.address, ...OTHER }), 'three')
  assert.equal(await pulled(`${SERVICE}:latest`), 'three')
})

test('R90 a tag that is pushed makes the version that it names, and a commit without one is left alone', async () => {
  const tagged = files({ version: '0', says: 'tagged' })
  const deployFile = tagged['fairlead.yaml'].replace('{ from: service.yaml }', '{ from: tag }')
  const name = `    name: ${SERVICE}\n`
  const commit = await remote.push({ ...tagged, 'fairlead.yaml': `${deployFile}${name}` })
  await merge()
  assert.equal((await system.deploy(APP)).outcome, 'unaffected')
  const bare = join(system.gitServer.repositoriesFolder, `${APP}.git`)
  const env = { GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: 'a@example.org' }
  const tag = ['tag', '--annotate', '--message=It', 'v3.1.0', commit]
  await mustRun('git', [`--git-dir=${bare}`, ...tag], { folder: '/', env })
  await send('push', {
    ref: 'refs/tags/v3.1.0',
    before: '0'.repeat(40),
    after: commit,
    repository: { id: 1 },
  })
  await untilAllEnded()
  const [made] = await artifacts()
  assert.deepEqual([made?.image, made?.commit], [`${SERVICE}:v3.1.0`, commit])
  assert.equal(await pulled(`${SERVICE}:v3.1.0`), 'tagged')
})

test('R43 an image stays on its host as long as its artefact is listed, and goes with the next prune when that is forgotten', async () => {
  assert.equal((await build('4.0.0')).outcome, 'deployed')
  const { client } = system.together()
  const names = [`${SERVICE}:4.0.0`, `${system.registry.address}/${SERVICE}:4.0.0`]
  await client.send('DELETE', `/apps/${APP}`)
  await untilGone()
  await prune()
  for (const name of names) {
    await docker('image', 'inspect', name)
  }
  // Some of them are the same image.
  for (const { id } of await artifacts()) {
    await client.send('DELETE', `/artifacts/${id}`)
  }
  await prune()
  for (const name of names) {
    assert.equal((await command('docker', ['image', 'inspect', name], { folder: '/' })).code, 1, name)
  }
})

async function untilGone(): Promise<void> {
  const deadline = systemClock.monotonic() + 120_000
  const { client } = system.together()
  const isThere = async () =>
    (await client.get<{ items: { name: string }[] }>('/apps')).items.some(({ name }) => name === APP)
  while (await isThere()) {
    assert.ok(systemClock.monotonic() < deadline, 'the app is removed')
    await systemClock.sleep(50)
  }
}

async function prune(): Promise<void> {
  const { client } = system.together()
  const [host] = (await client.get<{ items: { name: string }[] }>('/hosts')).items
  const wish = { dry_run: false, older_than_seconds: 0 }
  // The removal may be at its very end still.
  const isBusy = async () =>
    await client.send('POST', `/hosts/${host?.name}/prune`, wish).then(
      () => false,
      error => {
        assert.equal(error.code, 'HOST_BUSY', error.message)
        return true
      },
    )
  while (await isBusy()) {
    await systemClock.sleep(50)
  }
}

function files({ version, says, more = [] }: { version: string; says: string; more?: readonly string[] }) {
  const app = ['target: image', 'version: { from: service.yaml }'].map(line => `    ${line}`)
  return {
    'service.yaml': `service_name: ${SERVICE}\nversion: ${version}\n`,
    Dockerfile: `FROM ${system.baseImage}\nRUN head -c 64 /dev/urandom > /only-once && ${LIST}\nCMD ["echo", "${says}"]\n`,
    '.dockerignore': 'service.yaml\nfairlead.yaml\n.dockerignore\n',
    'fairlead.yaml': ['version: 1', 'apps:', `  ${APP}:`, ...app, ...more, ''].join('\n'),
  }
}

/** What merging a pull request does to the repository: the branch is at the commit. */
test('R87 examples/artifact is built and pushed as its own file says', async () => {
  const name = `${APP}-example`
  const images = [`${name}:1.0.0`, `${system.registry.address}/${name}:1.0.0`]
  stack.defer(async () => void (await command('docker', ['rmi', '--force', ...images], { folder: '/' })))
  const texts = await readExample('artifact', system.baseImage)
  // The engine of this machine is shared with others: all is as it stands there but for the names.
  await system.addRepository(name, {
    ...texts,
    'fairlead.yaml': texts['fairlead.yaml']?.replace('  orders:', `  ${name}:`) ?? '',
    'service.yaml': texts['service.yaml']?.replace('orders', name) ?? '',
  })
  const ended = await system.deploy(name)
  assert.equal(ended.state, 'succeeded', await system.logOf(ended.id))
  assert.equal((await docker('run', '--rm', `${name}:1.0.0`)).trim(), 'no orders yet')
})

async function merge(): Promise<void> {
  const bare = join(system.gitServer.repositoriesFolder, `${APP}.git`)
  await mustRun('git', [`--git-dir=${bare}`, 'update-ref', 'refs/heads/develop', 'refs/heads/main'], {
    folder: '/',
  })
}

function pullRequest(base: string, commit: string) {
  const merged = { merged: true, merge_commit_sha: commit, base: { ref: base } }
  return { action: 'closed', pull_request: merged, repository: { id: 1 } }
}

async function send(event: string, payload: object, status = 'accepted'): Promise<void> {
  const body = JSON.stringify(payload)
  const answer = await fetch(hook.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-github-delivery': newId(),
      'x-hub-signature-256': `sha256=${createHmac('sha256', hook.secret).update(body).digest('hex')}`,
    },
    body,
  })
  assert.equal(answer.status, status === 'ignored' ? 200 : 202, await answer.text())
}

async function build(version: string): Promise<DeploymentDetail> {
  const { client } = system.together()
  const wish = { service_name: SERVICE, version, type: 'docker', wait_seconds: 120 }
  const { id } = await client.send<DeploymentDocument>('POST', '/artifacts', wish)
  return await client.get<DeploymentDetail>(`/deployments/${id}`)
}

async function artifacts(): Promise<readonly ArtifactDocument[]> {
  return (await system.together().client.get<{ items: ArtifactDocument[] }>(`/artifacts?app=${APP}`)).items
}

async function untilAllEnded(): Promise<readonly DeploymentDocument[]> {
  const deadline = systemClock.monotonic() + 120_000
  for (;;) {
    const { client } = system.together()
    const { items } = await client.get<{ items: DeploymentDocument[] }>(`/deployments?app=${APP}`)
    if (items.every(({ finished_at }) => finished_at !== null)) {
      return items
    }
    assert.ok(systemClock.monotonic() < deadline, 'they end')
    await systemClock.sleep(50)
  }
}

/** What the image prints that a client with the registry's password pulls, when nothing of it is on the host. */
async function pulled(
  name: string,
  login: Parameters<typeof dockerWithLogin>[1] = system.registry,
): Promise<string> {
  await removeImages()
  const env = await dockerWithLogin(join(system.folder, `client-${newId()}`), login)
  const reference = `${login.address}/${name}`
  await mustRun('docker', ['pull', '--quiet', reference], { folder: '/', env })
  return (await docker('run', '--rm', reference)).trim()
}

/** The answer of the registry, asked without any client of images. */
async function inRegistry(path: string) {
  const { address, ca, username, password } = system.registry
  const headers = {
    accept: 'application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json',
  }
  const url = `https://${address}/v2/${SERVICE}/${path}`
  const text = await new Promise<string>((resolve, reject) => {
    const sent = get(url, { ca, headers, auth: `${username}:${password}` }, answer => {
      let read = ''
      answer.setEncoding('utf8')
      answer.on('data', chunk => {
        read += chunk
      })
      answer.on('end', () => resolve(read))
    })
    sent.on('error', reject)
  })
  return JSON.parse(text)
}

async function removeImages(): Promise<void> {
  const ids = (await docker('images', '--quiet', '--filter', `label=io.fairlead.app=${APP}`)).split(/\s+/)
  const found = [...new Set(ids.filter(Boolean))]
  if (found.length > 0) {
    await docker('rmi', '--force', ...found)
  }
}

async function docker(...args: string[]): Promise<string> {
  return await mustRun('docker', args, { folder: '/' })
}
