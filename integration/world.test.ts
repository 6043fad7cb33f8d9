import { deepEqual, equal, match, notEqual, ok, rejects, throws } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ask } from '#cli/demo/ask.ts'
import { startProcess } from '#cli/demo/background-process.ts'
import { ensureBaseImage } from '#cli/demo/base-image.ts'
import { certificateIn } from '#cli/demo/certificate.ts'
import { freePort } from '#cli/demo/free-port.ts'
import { startGitServer } from '#cli/demo/git-server.ts'
import { startProxy } from '#cli/demo/proxy.ts'
import { startRegistry } from '#cli/demo/registry.ts'
import { command, mustRun } from './world/command.ts'
import { dockerWithLogin } from './world/docker-client.ts'
import {
  addCommits,
  gitOverHttps,
  gitOverSsh,
  headOf,
  sshOptions,
  withLogin,
  workingCopy,
} from './world/git-client.ts'
import { addRoute, getOverTls } from './world/proxy-client.ts'
import { startSshd } from './world/sshd.ts'
import { temporaryFolder } from './world/temporary-folder.ts'

const USER = { username: 'ada', password: 'love/lace:1843' }
const IMAGE = `fairlead-world-${process.pid}`
/** Only root has it anyhow. */
const WITHOUT_INCUS =
  process.getuid?.() === 0
    ? [
        ...['unshare', '--mount', '--propagation', 'private', 'sh', '-ec'],
        '[ ! -d /usr/libexec/incus ] || mount -t tmpfs none /usr/libexec/incus; exec "$@"',
        'sh',
      ]
    : []

describe('a machine without Incus', () => {
  test('leaves the tests of systems out and says so, and fails when they are required', async () => {
    await using world = new AsyncDisposableStack()
    const folder = await temporaryFolder(world)
    const file = join(import.meta.dirname, 'system-cluster.test.ts')
    const tests = async (env: Readonly<Record<string, string>>) => {
      const [program = '', ...args] = [...WITHOUT_INCUS, process.execPath, '--test', file]
      return await command(program, args, { folder, env })
    }
    const left = await tests({})
    equal(left.code, 0, left.stdout)
    match(
      left.stdout,
      /SKIPPED: everything about clusters of system containers: (?:there is no|it needs root)/,
    )
    match(left.stdout, /^\S+ pass 0$[\s\S]*^\S+ skipped [1-9]/m)
    const required = await tests({ FAIRLEAD_REQUIRE_INCUS: '1' })
    equal(required.code, 1)
    match(required.stdout, /FAIRLEAD_REQUIRE_INCUS=1, and there is no Incus: (?:there is no|it needs root)/)
  })
})

describe('the base image', () => {
  test('is made once, runs commands, and holds busybox and two users', async () => {
    await using world = new AsyncDisposableStack()
    const folder = await temporaryFolder(world)
    const name = `${IMAGE}:base`
    removeImageAfter(world, name)
    const made = await ensureBaseImage({ name })
    ok(made.created)
    deepEqual(await ensureBaseImage({ name }), { ...made, created: false })

    const run = ['run', '--rm', '--network=none', '--read-only']
    const files = await mustRun('docker', [...run, name, 'find', '/', '-xdev', '-type', 'f'], { folder })
    match(files, /^\/bin\/busybox$/m)
    match(files, /^\/etc\/passwd$/m)
    equal(await mustRun('docker', [...run, '--user=nobody', name, 'id', '-un'], { folder }), 'nobody\n')
  })

  test('cannot be made where no engine answers', async () => {
    const made = ensureBaseImage({ name: IMAGE, socketPath: '/nowhere/docker.sock' })
    await rejects(made, /engine does not answer at \/nowhere/)
  })
})

describe('the registry', () => {
  test('gives back what was pushed, and nothing to a wrong password', async () => {
    await using world = new AsyncDisposableStack()
    const folder = await temporaryFolder(world)
    const registry = await startRegistry({ folder: join(folder, 'registry'), ...USER })
    world.defer(registry.close)
    const image = `${registry.address}/team/app:1`
    removeImageAfter(world, image)
    const { id } = await ensureBaseImage({ name: image })
    const login = { address: registry.address, ...USER }
    const known = await dockerWithLogin(join(folder, 'known'), login)
    const stranger = await dockerWithLogin(join(folder, 'stranger'), { ...login, password: 'wrong' })

    const refused = await command('docker', ['push', image], { folder, env: stranger })
    notEqual(refused.code, 0)
    match(refused.stderr, /unauthorized/)

    await mustRun('docker', ['push', image], { folder, env: known })
    await mustRun('docker', ['image', 'rm', image], { folder })
    notEqual((await command('docker', ['pull', image], { folder, env: stranger })).code, 0)
    await mustRun('docker', ['pull', image], { folder, env: known })
    equal((await mustRun('docker', ['image', 'inspect', '--format={{.Id}}', image], { folder })).trim(), id)
  })

  test('has its certificate again when it is started again', async () => {
    await using world = new AsyncDisposableStack()
    const folder = await temporaryFolder(world)
    const first = await startRegistry({ folder, ...USER })
    await first.close()
    const second = await startRegistry({ folder, ...USER, port: Number(first.address.split(':')[1]) })
    world.defer(second.close)
    equal(second.address, first.address)
    equal(second.ca, first.ca)
  })

  test('does not take the port of another program', async () => {
    await using world = new AsyncDisposableStack()
    const folder = await temporaryFolder(world)
    const first = await startRegistry({ folder: join(folder, 'first'), ...USER })
    world.defer(first.close)
    const port = Number(first.address.split(':')[1])
    const second = startRegistry({ folder: join(folder, 'second'), ...USER, port })
    await rejects(second, new RegExp(`port ${port} of 127.0.0.1 is taken`))
  })
})

describe('the proxy', () => {
  test('answers 404 for a host it does not know', async () => {
    await using world = new AsyncDisposableStack()
    const proxy = await startProxy({ folder: await temporaryFolder(world) })
    world.defer(proxy.close)
    equal((await ask(`http://127.0.0.1:${proxy.httpPort}/`)).status, 404)
    equal((await getOverTls('localhost', proxy.httpsPort, await proxy.rootCertificate())).status, 404)
    await addRoute(proxy.adminUrl, 'fairlead', 'shop.example')
    equal((await ask(`http://127.0.0.1:${proxy.httpPort}/`)).status, 404)
    equal(await statusOfHost('shop.example', proxy.httpPort), 200)
  })

  test('serves a new host with a certificate of its own authority', async () => {
    await using world = new AsyncDisposableStack()
    const proxy = await startProxy({ folder: await temporaryFolder(world) })
    world.defer(proxy.close)
    await addRoute(proxy.adminUrl, 'fairlead_tls', 'shop.example')
    const answer = await getOverTls('shop.example', proxy.httpsPort, await proxy.rootCertificate())
    deepEqual(answer, { status: 200, body: 'hello' })
  })

  test('has its routes, ports and authority again after a restart, and moves when told to', async () => {
    await using world = new AsyncDisposableStack()
    const folder = await temporaryFolder(world)
    const first = await startProxy({ folder })
    await addRoute(first.adminUrl, 'fairlead_tls', 'shop.example')
    const authority = await first.rootCertificate()
    // One that is ended while it makes a certificate leaves a lock, for which the next one waits.
    equal((await getOverTls('shop.example', first.httpsPort, authority)).body, 'hello')
    await first.close()

    const second = await startProxy({ folder })
    deepEqual(
      [second.httpPort, second.httpsPort, second.adminUrl],
      [first.httpPort, first.httpsPort, first.adminUrl],
    )
    equal(await second.rootCertificate(), authority)
    await second.close()

    const third = await startProxy({ folder, httpsPort: await freePort() })
    world.defer(third.close)
    notEqual(third.httpsPort, first.httpsPort)
    equal((await getOverTls('shop.example', third.httpsPort, authority)).body, 'hello')
  })
})

describe('the Git server', () => {
  test('takes a push and gives a clone to the right password only', async () => {
    await using world = new AsyncDisposableStack()
    const { folder, server, env } = await gitWorld(world)
    const pushes: string[][] = []
    server.onPush((...push) => pushes.push(push))
    await server.createRepository('team/app')
    const work = await workingCopy(join(folder, 'work'), env)

    const stranger = withLogin(server.url('team/app'), USER.username, 'wrong')
    const refused = await command('git', ['push', stranger, 'main'], { folder: work, env })
    match(refused.stderr, /Authentication failed/)
    deepEqual(pushes, [])

    const url = withLogin(server.url('team/app'), USER.username, USER.password)
    await mustRun('git', ['push', '--push-option=why=test', url, 'main'], { folder: work, env })
    const head = await headOf(work, env)
    deepEqual(pushes, [['team/app', 'refs/heads/main', '0'.repeat(40), head]])

    await mustRun('git', ['clone', '--quiet', url, 'clone'], { folder, env })
    equal(await headOf(join(folder, 'clone'), env), head)
    const anonymous = await command('git', ['clone', server.url('team/app'), 'anonymous'], { folder, env })
    notEqual(anonymous.code, 0)
  })

  test('knows no other repository', async () => {
    await using world = new AsyncDisposableStack()
    const { folder, server, env } = await gitWorld(world)
    const other = withLogin(server.url('other'), USER.username, USER.password)
    match((await command('git', ['clone', other, 'other'], { folder, env })).stderr, /not found/)
    throws(() => server.url('../other'), /no repository name/)
  })

  test('tells of a forced push, a new tag and a deleted branch', async () => {
    await using world = new AsyncDisposableStack()
    const { folder, server, env } = await gitWorld(world)
    await server.createRepository('app')
    const url = withLogin(server.url('app'), USER.username, USER.password)
    const work = await workingCopy(join(folder, 'work'), env, 2)
    await mustRun('git', ['push', '--quiet', url, 'main', 'main:side'], { folder: work, env })
    const before = await headOf(work, env)
    await mustRun('git', ['reset', '--quiet', '--hard', 'HEAD~1'], { folder: work, env })
    const after = await headOf(work, env)

    const pushes: string[][] = []
    server.onPush((...push) => pushes.push(push))
    const changes = ['+main', ':side', 'main:refs/tags/v1']
    await mustRun('git', ['push', '--quiet', url, ...changes], { folder: work, env })
    deepEqual(pushes.sort(), [
      ['app', 'refs/heads/main', before, after],
      ['app', 'refs/heads/side', before, '0'.repeat(40)],
      ['app', 'refs/tags/v1', '0'.repeat(40), after],
    ])
  })

  test('reads chunked and compressed requests', async () => {
    await using world = new AsyncDisposableStack()
    const { folder, server, env } = await gitWorld(world)
    await server.createRepository('app')
    const url = withLogin(server.url('app'), USER.username, USER.password)
    const work = await workingCopy(join(folder, 'work'), env)
    await writeFile(join(work, 'large'), randomBytes(3_000_000))
    await addCommits(work, env)
    const traced = { ...env, GIT_TRACE_CURL: '1', GIT_TRACE_CURL_NO_DATA: '1' }
    const pushed = await command('git', ['push', url, 'main'], { folder: work, env: traced })
    equal(pushed.code, 0, pushed.stderr)
    match(pushed.stderr, /Transfer-Encoding: chunked/i)

    await mustRun('git', ['clone', '--quiet', url, 'clone'], { folder, env })
    await addCommits(work, env)
    await mustRun('git', ['push', '--quiet', url, 'main'], { folder: work, env })
    await addCommits(join(folder, 'clone'), env, 40)
    const fetched = await command('git', ['-C', 'clone', 'fetch', url, 'main'], { folder, env: traced })
    equal(fetched.code, 0, fetched.stderr)
    match(fetched.stderr, /Content-Encoding: gzip/i)
    match(fetched.stderr, /Git-Protocol: version=2/i)
  })
})

describe('the SSH server', () => {
  test('gives a clone and takes a push from who has the key and knows the host', async () => {
    await using world = new AsyncDisposableStack()
    const { folder, sshd, env } = await sshWorld(world)
    await mustRun('git', ['clone', '--quiet', sshd.url('app'), 'clone'], { folder, env })
    const clone = join(folder, 'clone')
    await addCommits(clone, env)
    await mustRun('git', ['push', '--quiet', 'origin', 'main'], { folder: clone, env })
    const listed = await mustRun('git', ['ls-remote', sshd.url('app'), 'main'], { folder, env })
    equal(listed, `${await headOf(clone, env)}\trefs/heads/main\n`)
  })

  test('runs nothing but Git, and only below its folder', async () => {
    await using world = new AsyncDisposableStack()
    const { folder, sshd } = await sshWorld(world)
    const options = sshOptions(sshd.clientKeyFile, join(folder, 'known_hosts'))
    const ssh = [...options, '-p', String(sshd.port), `${sshd.user}@127.0.0.1`]
    const refusals = {
      id: /only Git is served here/,
      "git-upload-pack '/../../etc'": /no repository has this name/,
      "git-upload-pack 'app.git';id": /no repository has this name/,
      'git-upload-pack $(id)': /no repository has this name/,
    }
    for (const [asked, reason] of Object.entries(refusals)) {
      const refused = await command('ssh', [...ssh, asked], { folder })
      equal(refused.code, 128, asked)
      match(refused.stderr, reason)
      equal(refused.stdout, '')
    }
  })

  test('is refused by a client that pinned other host keys', async () => {
    await using world = new AsyncDisposableStack()
    const { folder, sshd, env } = await sshWorld(world)
    const pinned = sshd.hostKeys
    await sshd.replaceHostKey()
    notEqual(sshd.hostKeys, pinned)
    const refused = await command('git', ['ls-remote', sshd.url('app')], { folder, env })
    match(refused.stderr, /REMOTE HOST IDENTIFICATION HAS CHANGED/)
    await writeFile(join(folder, 'known_hosts'), sshd.hostKeys)
    await mustRun('git', ['ls-remote', sshd.url('app')], { folder, env })
  })
})

describe('a part of the world', () => {
  test('tells the end of its log when it cannot start', async () => {
    await using world = new AsyncDisposableStack()
    const folder = await temporaryFolder(world)
    const part = {
      program: 'caddy',
      args: ['run', '--config', 'absent.json'],
      folder,
      logFile: join(folder, 'log'),
    }
    const started = startProcess({ ...part, ready: async () => false })
    await rejects(started, /caddy ended with exit code 1 while starting\n(.*\n)*.*absent\.json: no such file/)
  })

  test('leaves no process behind when it is not ready in time', async () => {
    await using world = new AsyncDisposableStack()
    const folder = await temporaryFolder(world)
    const part = { program: 'busybox', args: ['sleep', '77'], folder, logFile: join(folder, 'log') }
    await rejects(
      startProcess({ ...part, readyWithinMs: 100, ready: async () => false }),
      /not ready after 100 ms/,
    )
    await rejects(
      startProcess({ ...part, program: 'no-such-program', ready: async () => true }),
      /scripts\/setup/,
    )
    equal((await command('busybox', ['pgrep', '-f', '^busybox sleep 77$'], { folder })).stdout, '')
  })

  test('keeps its certificate and a private key that only its user may read', async () => {
    await using world = new AsyncDisposableStack()
    const folder = await temporaryFolder(world)
    const first = await certificateIn(folder)
    equal((await certificateIn(folder)).certificate, first.certificate)
    deepEqual((await readdir(folder)).sort(), ['certificate.pem', 'key.pem'])
    match(await mustRun('ls', ['-l', first.keyFile], { folder }), /^-rw-------/)
  })
})

function removeImageAfter(world: AsyncDisposableStack, image: string): void {
  world.defer(async () => {
    await command('docker', ['image', 'rm', '--force', image], { folder: '/' })
  })
}

async function gitWorld(world: AsyncDisposableStack) {
  const folder = await temporaryFolder(world)
  const server = await startGitServer({ folder: join(folder, 'server'), ...USER })
  world.defer(server.close)
  return { folder, server, env: await gitOverHttps(folder, server.ca) }
}

async function sshWorld(world: AsyncDisposableStack) {
  const folder = await temporaryFolder(world)
  const repositoriesFolder = join(folder, 'repositories')
  const sshd = await startSshd({ folder: join(folder, 'sshd'), repositoriesFolder })
  world.defer(sshd.close)
  const env = await gitOverSsh(folder, sshd)
  const work = await workingCopy(join(folder, 'work'), env)
  await mustRun('git', ['clone', '--quiet', '--bare', work, join(repositoriesFolder, 'app.git')], {
    folder,
    env,
  })
  return { folder, sshd, env }
}

async function statusOfHost(host: string, port: number): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
  const request = get({ host: '127.0.0.1', port, headers: { host }, agent: false }, response => {
    response.resume()
    resolve(response.statusCode)
  })
  request.on('error', reject)
  return await promise
}
