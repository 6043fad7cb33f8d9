import { deepEqual, doesNotMatch, equal, match, notEqual, ok, rejects } from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { certificateIn } from '#cli/demo/certificate.ts'
import { freePort } from '#cli/demo/free-port.ts'
import { type Registry, startRegistry } from '#cli/demo/registry.ts'
import { containerStart } from '#commands/container.ts'
import { imagePrune, imagePush } from '#commands/image.ts'
import {
  DOCKERFILE_REFUSED,
  IMAGE_PATH_REFUSED,
  IMAGE_SOURCE_MISSING,
  REGISTRY_CREDENTIAL_REFUSED,
  REGISTRY_DISK_FULL,
  REGISTRY_UNREACHABLE,
} from '#commands/image-errors.ts'
import { BUILD_FAILED } from '#exec/errors.ts'
import { systemClock } from '#lib/clock.ts'
import type { FairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { docker } from './world/container-apps.ts'
import {
  buildImage,
  type ContainerWorld,
  contentOf,
  LOGIN,
  loginOf,
  startContainerWorld,
} from './world/container-world.ts'
import { fakeServer } from './world/fake-git-server.ts'

describe('the content of an image', () => {
  test('decides its tag: files, Dockerfile, arguments, target, names of secrets, and nothing else, so not what .dockerignore leaves out', async t => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const context = { context: 'api', dockerfile: 'api/Dockerfile' }
    const first = await world.commit({ 'api/Dockerfile': `FROM ${world.base}`, 'api/x': '1', 'docs/a': '1' })
    const { tag } = await contentOf(world, { commit: first, ...context })
    const elsewhere = await world.commit({ 'docs/a': '2' })
    equal((await contentOf(world, { commit: elsewhere, ...context })).tag, tag)
    const changed = await world.commit({ 'api/x': '2' })
    const tags = await Promise.all(
      [
        { commit: changed },
        { commit: first, args: { A: '1' } },
        { commit: first, args: { A: '2' } },
        { commit: first, target: 'slim' },
        { commit: first, secrets: { TOKEN: 'one' } },
      ].map(async wish => (await contentOf(world, { ...context, ...wish })).tag),
    )
    equal(new Set([tag, ...tags]).size, 6)
    equal((await contentOf(world, { commit: first, ...context, secrets: { TOKEN: 'two' } })).tag, tags[4])
    const ignore = { 'api/.dockerignore': '*.md\n.dockerignore\n', 'api/README.md': '1' }
    const ignoring = await contentOf(world, { commit: await world.commit(ignore), ...context })
    const readme = await world.commit({ 'api/README.md': '2' })
    equal((await contentOf(world, { commit: readme, ...context })).tag, ignoring.tag)
    const code = await world.commit({ 'api/x': '3' })
    notEqual((await contentOf(world, { commit: code, ...context })).tag, ignoring.tag)
    const asked = systemClock.monotonic()
    await contentOf(world, { commit: first, ...context })
    t.diagnostic(`image.content: ${(systemClock.monotonic() - asked).toFixed(1)} ms`)
  })

  test('C45 a Dockerfile outside of the context or the repository is refused, its text never shown', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const commit = await world.commit({ Dockerfile: `FROM ${world.base}`, 'api/x': '1' })
    for (const wish of [
      { context: 'api', dockerfile: 'Dockerfile' },
      { context: '.', dockerfile: '../../etc/passwd' },
      { context: '.', dockerfile: '/etc/passwd' },
      { context: '..', dockerfile: '../Dockerfile' },
    ]) {
      await rejects(contentOf(world, { commit, ...wish }), (error: Error) => {
        doesNotMatch(String(error.message), /root:/)
        return (
          IMAGE_PATH_REFUSED.matches(error) || (error as FairleadError).code === 'REPOSITORY_PATH_REFUSED'
        )
      })
    }
    await rejects(contentOf(world, { commit, dockerfile: 'Dockerfile.none' }), IMAGE_SOURCE_MISSING.matches)
  })
})

describe('a build', () => {
  test('R7 takes arguments, a target and a secret that stays out of the image, and is made once', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const secret = `canary-${newId()}`
    const commit = await world.commit({
      Dockerfile: [
        `FROM ${world.base} AS slim`,
        'ARG ONE',
        'ARG TWO',
        'RUN --mount=type=secret,id=TOKEN echo "$ONE $TWO $(wc -c < /run/secrets/TOKEN)" > /made',
        'FROM slim',
        'RUN echo too much > /made',
      ].join('\n'),
    })
    const wish = { commit, args: { ONE: '1', TWO: 'two words' }, secrets: { TOKEN: secret }, target: 'slim' }
    const built = await buildImage(world, wish)
    equal(built.source, 'build')
    const made = await docker(
      world,
      'run',
      '--rm',
      `--name=${world.app}-made`,
      built.reference,
      'cat',
      '/made',
    )
    equal(made, `1 two words ${secret.length}\n`)
    doesNotMatch(await docker(world, 'history', '--no-trunc', built.reference), new RegExp(secret))
    doesNotMatch(JSON.stringify(world.said), new RegExp(secret))
    deepEqual(await buildImage(world, wish), { ...built, built: false, source: 'host' })
  })

  test('that fails tells the step and its last lines', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const commit = await world.commit({
      Dockerfile: `FROM ${world.base}\nRUN echo no compiler here; exit 9\n`,
    })
    await rejects(buildImage(world, { commit }), (error: FairleadError) => {
      ok(BUILD_FAILED.matches(error))
      match(JSON.stringify(error.facts), /no compiler here/)
      return true
    })
    ok(world.said.some(line => line.includes('no compiler here')))
  })

  test('C41 asks for nothing that the host forbids', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    for (const line of [
      'ADD http://169.254.169.254/latest /x',
      'ADD git@host:x.git#main:../.. /x',
      'RUN --security=insecure true',
    ]) {
      const commit = await world.commit({ Dockerfile: `FROM ${world.base}\n${line}\n` })
      await rejects(buildImage(world, { commit }), DOCKERFILE_REFUSED.matches)
    }
    const commit = await world.commit({ Dockerfile: `# syntax=evil/frontend\nFROM ${world.base}\n` })
    await rejects(buildImage(world, { commit }), DOCKERFILE_REFUSED.matches)
  })

  test('starts from a private base image of the registry', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const registry = await aRegistry(stack, world)
    const login = loginOf(registry)
    const base = `${registry.address}/${world.app}-team/base:1`
    await docker(world, 'tag', world.base, base)
    await imagePush.run(world.hands, { reference: base, registry: login })
    await docker(world, 'rmi', base)
    const commit = await world.commit({ Dockerfile: `ARG TAG=0\nFROM ${base.slice(0, -1)}$TAG\nRUN true\n` })
    const built = await buildImage(world, { commit, args: { TAG: '1' } }, login)
    equal(built.source, 'build')
    ok(world.said.includes(`fetching the base image ${base}`))
    await docker(world, 'rmi', base)
  })
})

describe('a push', () => {
  test('R8 R96 happens once, gives the digest of the registry, and the image runs by it', async t => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const registry = await aRegistry(stack, world)
    const login = loginOf(registry)
    const commit = await world.commit({ Dockerfile: `FROM ${world.base}\nCMD ["sleep","60"]\n` })
    const { reference } = await buildImage(world, { commit }, login)
    const first = await imagePush.run(world.hands, { reference, registry: login })
    equal(first.skipped, false)
    match(first.reference, new RegExp(`^${registry.address}/${world.app}@sha256:[0-9a-f]{64}$`))
    world.calls.length = 0
    const asked = systemClock.monotonic()
    deepEqual(await imagePush.run(world.hands, { reference, registry: login }), { ...first, skipped: true })
    t.diagnostic(`image.push, skipped: ${(systemClock.monotonic() - asked).toFixed(1)} ms`)
    ok(world.calls.every(call => !call.startsWith('POST')))
    const content = await contentOf(world, { commit }, login)
    deepEqual([content.registry, content.pinned], ['present', first.reference])
    const started = await containerStart.run(world.hands, {
      app: world.app,
      deployment: newId(),
      commit,
      configHash: 'a'.repeat(64),
      image: first.reference,
      environment: {},
      health: { withinMs: 5_000, settleMs: 50 },
      volumes: [],
      ports: [],
      stopGraceSeconds: 1,
    })
    equal(started.digest, first.reference)
  })

  test('by another host is fetched instead of built again, and fetched when the own build differs', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const login = loginOf(await aRegistry(stack, world))
    const commit = await world.commit({ Dockerfile: `FROM ${world.base}\nRUN head -c 9 /dev/urandom > /x\n` })
    const { reference } = await buildImage(world, { commit }, login)
    const { digest } = await imagePush.run(world.hands, { reference, registry: login })
    await docker(world, 'rmi', '--force', reference)
    const fetched = await buildImage(world, { commit }, login)
    equal(fetched.source, 'registry')
    await docker(world, 'rmi', '--force', fetched.imageId)
    await docker(world, 'tag', world.base, reference)
    equal((await contentOf(world, { commit }, login)).pinned, undefined)
    const again = await imagePush.run(world.hands, { reference, registry: login })
    deepEqual([again.digest, again.skipped], [digest, true])
    equal((await docker(world, 'inspect', '--format', '{{.Id}}', again.reference)).trim(), fetched.imageId)
    await docker(world, 'rmi', '--force', fetched.imageId, reference)
  })

  test('with a wrong password, to nobody, or by a name without a registry fails at once with words', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const registry = await aRegistry(stack, world)
    const commit = await world.commit({ Dockerfile: `FROM ${world.base}\nRUN true\n` })
    const { reference } = await buildImage(world, { commit }, loginOf(registry))
    const wrong = { reference, registry: loginOf(registry, 'wrong-password') }
    await rejects(imagePush.run(world.hands, wrong), REGISTRY_CREDENTIAL_REFUSED.matches)
    await registry.close()
    const down = { reference, registry: loginOf(registry) }
    await rejects(imagePush.run(world.hands, down), REGISTRY_UNREACHABLE.matches)
    equal((await contentOf(world, { commit }, loginOf(registry))).registry, 'unknown')
    const other = { reference, registry: { ...loginOf(registry), address: `127.0.0.1:${await freePort()}` } }
    await rejects(imagePush.run(world.hands, other), IMAGE_PATH_REFUSED.matches)
  })

  test('to a registry whose disk is full ends at the first retry and says so', async t => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const full = await fakeServer(stack, join(world.folder, 'full'), fullDisk)
    const address = new URL(full.url).host
    const { certificate } = await certificateIn(join(world.folder, 'full'))
    const login = { address, ca: certificate, ...LOGIN }
    const commit = await world.commit({
      Dockerfile: `FROM ${world.base}\nRUN head -c 99 /dev/urandom > /x\n`,
    })
    const { reference } = await buildImage(world, { commit }, login)
    const asked = systemClock.monotonic()
    await rejects(imagePush.run(world.hands, { reference, registry: login }), REGISTRY_DISK_FULL.matches)
    t.diagnostic(`image.push, disk full: ${(systemClock.monotonic() - asked).toFixed(0)} ms`)
  })
})

test('pruning keeps the newest images, those that are named and those that run', async () => {
  await using stack = new AsyncDisposableStack()
  const world = await startContainerWorld(stack)
  const references: string[] = []
  for (const number of [1, 2, 3, 4]) {
    const commit = await world.commit({
      Dockerfile: `FROM ${world.base}\nRUN echo ${number} ${newId()} > /x; sleep 1\n`,
    })
    references.push((await buildImage(world, { commit })).reference)
  }
  const [used = '', named = '', old = '', newest = ''] = references
  await docker(world, 'create', `--name=${world.app}-uses`, used)
  const data = { app: world.app, keep: [named], keepLast: 1 }
  deepEqual((await imagePrune.run(world.hands, data)).removed, [old])
  for (const reference of [named, newest]) {
    notEqual(await docker(world, 'images', '--quiet', reference), '')
  }
  notEqual(await docker(world, 'inspect', '--format', '{{.Image}}', `${world.app}-uses`), '')
})

async function aRegistry(stack: AsyncDisposableStack, world: ContainerWorld): Promise<Registry> {
  const registry = await startRegistry({ folder: join(world.folder, 'registry'), ...LOGIN })
  stack.defer(registry.close)
  return registry
}

/** What docker-registry 2.8.2 was seen to answer on a full file system. */
function fullDisk(request: IncomingMessage, response: ServerResponse): void {
  const body = JSON.stringify({
    errors: [
      {
        code: 'UNKNOWN',
        message: 'unknown error',
        detail: { DriverName: 'filesystem', Enclosed: { Op: 'mkdir', Err: 28 } },
      },
    ],
  })
  if (request.url === '/v2/') {
    response.writeHead(200, { 'docker-distribution-api-version': 'registry/2.0' })
    response.end('{}')
    return
  }
  const isUpload = request.url?.includes('/blobs/uploads/')
  response.writeHead(isUpload ? 500 : 404, { 'content-type': 'application/json' })
  response.end(request.method === 'HEAD' ? undefined : body)
}
