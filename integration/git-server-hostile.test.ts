import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { selfSignedCertificate } from '#cli/demo/certificate.ts'
import { startGitServer } from '#cli/demo/git-server.ts'
import { repositoryCheckout, repositoryTip } from '#commands/repository.ts'
import { foldersOf } from '#commands/repository-folders.ts'
import type { Call } from '#exec/call.ts'
import type { FairleadError } from '#lib/errors.ts'
import { craftCommit } from './world/crafted-repository.ts'
import { advertise, fakeServer, forwarded } from './world/fake-git-server.ts'
import { gitWorld, USER } from './world/git-world.ts'
import { temporaryFolder } from './world/temporary-folder.ts'
import { workerHands } from './world/worker-hands.ts'

const COMMIT = 'a'.repeat(40)

function code(expected: string) {
  return (error: FairleadError) => {
    equal(error.code, expected, error.message)
    return true
  }
}

/** Limits short enough for a test; where they come from makes no difference. */
function hurried<T>(call: Call<T>): Call<T> {
  return call.kind === 'program' ? { ...call, timeoutMs: Math.min(call.timeoutMs, 2500) } : call
}

describe('addresses', () => {
  test('G04 a name that resolves privately reaches no program, whatever else it resolves to', async () => {
    await using world = new AsyncDisposableStack()
    const hands = await workerHands(world, {
      policy: { allowPrivate: [] },
      addresses: { 'git.example.org': ['140.82.121.4', '169.254.169.254'] },
    })
    const asked = repositoryTip.run(hands, { url: 'https://git.example.org/o/r', branch: 'main' })
    await rejects(asked, (error: FairleadError) => {
      equal(error.code, 'PRIVATE_ADDRESS')
      match(error.message, /"git\.example\.org" has the private address 169\.254\.169\.254/)
      return true
    })
    deepEqual(hands.programs(), [])
  })

  test('G04 git connects to the addresses that were checked and asks no resolver again', async () => {
    await using world = new AsyncDisposableStack()
    const folder = await temporaryFolder(world)
    const certificate = await selfSignedCertificate(['git.example.test'])
    const server = await startGitServer({ folder, ...USER, certificate })
    world.defer(server.close)
    const commit = await craftCommit(await server.createRepository('app'), { files: { x: '1' } })
    const hands = await workerHands(world, { addresses: { 'git.example.test': ['127.0.0.1'] } })
    const url = server.url('app').replace('127.0.0.1', 'git.example.test')
    const data = { url, branch: 'main', ca: server.ca, credential: { kind: 'https' as const, ...USER } }
    // No resolver knows the name, so an answer means that the pinned address was used.
    equal((await repositoryTip.run(hands, data)).commit, commit)
    equal(hands.calls.filter(call => call.kind === 'lookup').length, 1)
    const checkout = { ...data, repository: 'app', texts: [] }
    equal((await repositoryCheckout.run(hands, checkout)).commit, commit)
  })

  test('G05 a redirect to an internal server ends the job and is never followed', async () => {
    await using world = new AsyncDisposableStack()
    const folder = await temporaryFolder(world)
    const hits: string[] = []
    const internal = createServer((request, response) => {
      hits.push(String(request.url))
      response.end()
    }).listen(0, '127.0.0.1')
    await once(internal, 'listening')
    world.defer(async () => {
      internal.close()
      await once(internal, 'close')
    })
    const { port } = internal.address() as AddressInfo
    const server = await fakeServer(world, folder, (request, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${port}${request.url}` }).end()
    })
    const hands = await workerHands(world)
    const data = { url: server.url, ca: server.ca, branch: 'main' }
    await rejects(repositoryTip.run(hands, data), code('REPOSITORY_MOVED'))
    await rejects(
      repositoryCheckout.run(hands, { ...data, repository: 'app', texts: [] }),
      code('REPOSITORY_MOVED'),
    )
    ok(server.requests.length >= 2)
    deepEqual(hits, [])
  })
})

describe('answers', () => {
  test('G20 a server that never answers, or drips, is left after the time limit with nothing behind', async () => {
    for (const answer of ['silence', 'drip'] as const) {
      await using world = new AsyncDisposableStack()
      const folder = await temporaryFolder(world)
      const server = await fakeServer(world, folder, async (_, response) => {
        if (answer === 'silence') {
          await once(response, 'close')
          return
        }
        response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' })
        const drip = setInterval(() => response.write('0'), 100)
        await once(response, 'close')
        clearInterval(drip)
      })
      const hands = await workerHands(world, { change: hurried })
      const data = { repository: 'app', url: server.url, ca: server.ca, branch: 'main', texts: [] }
      await rejects(repositoryCheckout.run(hands, data), code('REPOSITORY_UNREACHABLE'))
      deepEqual(await processesNaming(server.url), [])
      deepEqual(await readdir(join(foldersOf(hands.workspace, 'app').mirror, 'objects', 'pack')), [])
    }
  })

  test('G20 a connection that closes in the middle of a pack leaves no half of a commit', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    await git.commit({ 'big.txt': Array.from({ length: 20_000 }, () => Math.random()).join() })
    const server = await fakeServer(world, join(git.folder, 'fake'), async (request, response, body) => {
      const answer = await forwarded(git.data, request, body)
      response.writeHead(answer.status, answer.headers)
      if (!body.includes('command=fetch')) {
        response.end(answer.body)
        return
      }
      response.write(answer.body.subarray(0, answer.body.length / 2), () => response.destroy())
    })
    const data = { ...git.data, url: server.url, ca: server.ca }
    await rejects(repositoryCheckout.run(git.hands, data), code('REPOSITORY_UNREACHABLE'))
    ok(server.requests.filter(each => each.startsWith('POST')).length >= 2)
    deepEqual(await readdir(join(foldersOf(git.hands.workspace, 'app').mirror, 'objects', 'pack')), [])
    equal((await repositoryCheckout.run(git.hands, git.data)).unchanged, false)
  })

  test('G20 a cancelled fetch ends at once with all its processes', async () => {
    await using world = new AsyncDisposableStack()
    const folder = await temporaryFolder(world)
    const hands = await workerHands(world)
    const server = await fakeServer(world, folder, async (_, response) => {
      hands.cancel()
      await once(response, 'close')
    })
    const data = { repository: 'app', url: server.url, ca: server.ca, branch: 'main', texts: [] }
    await rejects(repositoryCheckout.run(hands, data))
    deepEqual(await processesNaming(server.url), [])
  })

  test('G21 a default branch that climbs out is refused', async () => {
    await using world = new AsyncDisposableStack()
    const folder = await temporaryFolder(world)
    const lines = [`${COMMIT} HEAD symref-target:refs/heads/../../../X`]
    const server = await fakeServer(world, folder, advertise(lines))
    const hands = await workerHands(world)
    await rejects(repositoryTip.run(hands, { url: server.url, ca: server.ca }), code('BRANCH_NAME_REFUSED'))
  })

  test('G21 of 200,000 advertised refs only the wanted one is read', async () => {
    await using world = new AsyncDisposableStack()
    const folder = await temporaryFolder(world)
    const many = Array.from({ length: 200_000 }, (_, index) => `${COMMIT} refs/heads/b${index}`)
    const wanted = `${'b'.repeat(40)} refs/heads/main`
    const server = await fakeServer(world, folder, advertise([...many, wanted]))
    const hands = await workerHands(world)
    const data = { url: server.url, ca: server.ca, branch: 'main' }
    equal((await repositoryTip.run(hands, data)).commit, 'b'.repeat(40))
    await rejects(repositoryTip.run(hands, { ...data, branch: 'none' }), code('BRANCH_NOT_FOUND'))
  })

  test('G21 more refs than a sane server has are refused', async () => {
    await using world = new AsyncDisposableStack()
    const folder = await temporaryFolder(world)
    const many = Array.from({ length: 300_000 }, (_, index) => `${COMMIT} refs/heads/main-${index}`)
    const server = await fakeServer(world, folder, advertise(many))
    const hands = await workerHands(world)
    const data = { url: server.url, ca: server.ca, branch: 'main' }
    await rejects(repositoryTip.run(hands, data), code('REPOSITORY_TOO_LARGE'))
  })

  test('an answer that is no Git protocol is told as such', async () => {
    await using world = new AsyncDisposableStack()
    const folder = await temporaryFolder(world)
    const server = await fakeServer(world, folder, (_, response) => {
      response.end('<html>\n<p>Sign in</p>\n</html>\n')
    })
    const hands = await workerHands(world)
    const data = { url: server.url, ca: server.ca, branch: 'main' }
    await rejects(repositoryTip.run(hands, data), code('REPOSITORY_NOT_FOUND'))
  })
})

/** Command lines of running processes that contain a text. */
async function processesNaming(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter(line => line.includes(text))
}
