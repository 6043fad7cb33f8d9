import { deepEqual, doesNotMatch, equal, ok, rejects } from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createBareRepository } from '#cli/demo/git-repository.ts'
import { startGitServer } from '#cli/demo/git-server.ts'
import { repositoryCheckout } from '#commands/repository.ts'
import { craftCommit } from './world/crafted-repository.ts'
import { fakeServer, forwarded } from './world/fake-git-server.ts'
import { startSshd } from './world/sshd.ts'
import { temporaryFolder } from './world/temporary-folder.ts'
import { type WorkerHands, workerHands } from './world/worker-hands.ts'

const USERNAME = 'canary-user'
const PASSWORD = 'canary-pass%40:/word'
const FORMS = [
  PASSWORD,
  encodeURIComponent(PASSWORD),
  Buffer.from(`${USERNAME}:${PASSWORD}`).toString('base64'),
]

interface Seen {
  readonly commandLine: string
  readonly environment: string
}

test('R01 an HTTPS password is in no argument, environment, file of the workspace, log or error', async () => {
  await using world = new AsyncDisposableStack()
  const folder = await temporaryFolder(world)
  const server = await startGitServer({ folder, username: USERNAME, password: PASSWORD })
  world.defer(server.close)
  await craftCommit(await server.createRepository('app'), { files: { 'compose.yaml': 'x: 1\n' } })
  const real = { url: server.url('app'), ca: server.ca }
  const seen: Seen[] = []
  const front = await fakeServer(world, join(folder, 'front'), async (request, response, body) => {
    // The worker's git and all that it started wait for this answer.
    seen.push(...(await processes()))
    const answer = await forwarded(real, request, body)
    seen.push(...(await processes()))
    response.writeHead(answer.status, answer.headers).end(answer.body)
  })
  const hands = await workerHands(world)
  const credential = { kind: 'https' as const, username: USERNAME, password: PASSWORD }
  const data = { repository: 'app', url: front.url, ca: front.ca, branch: 'main', credential, texts: ['*'] }
  const result = await repositoryCheckout.run(hands, data)
  equal(result.texts['compose.yaml'], 'x: 1\n')
  ok(seen.some(({ commandLine }) => commandLine.includes('remote-https') && commandLine.includes(front.url)))
  deepEqual(seen.filter(mentions(FORMS)), [])
  await nothingLeft(hands, FORMS)

  const wrong = {
    ...data,
    known: result.commit,
    credential: { ...credential, password: `${PASSWORD}-wrong` },
  }
  await rejects(repositoryCheckout.run(hands, wrong), error => {
    doesNotMatch(JSON.stringify([error, String(error)]), /canary-pass/)
    return true
  })
  await nothingLeft(hands, FORMS)
})

test('R01 an SSH key is in no argument, environment or file of the workspace', async () => {
  await using world = new AsyncDisposableStack()
  const folder = await temporaryFolder(world)
  const repositoriesFolder = join(folder, 'repositories')
  const bare = await createBareRepository(join(repositoriesFolder, 'app.git'))
  await craftCommit(bare, { files: { x: '1' } })
  const sshd = await startSshd({ folder: join(folder, 'sshd'), repositoriesFolder })
  world.defer(sshd.close)
  const hands = await workerHands(world)
  const credential = { kind: 'ssh' as const, privateKey: sshd.clientKey, knownHosts: sshd.hostKeys }
  const data = { repository: 'app', url: sshd.url('app'), branch: 'main', credential, texts: [] }
  const lines = sshd.clientKey.split('\n').filter(line => line.length > 30 && !line.startsWith('---'))
  const done = repositoryCheckout.run(hands, data)
  const seen: Seen[] = []
  let running = true
  done
    .finally(() => {
      running = false
    })
    .catch(() => {})
  while (running) {
    seen.push(...(await processes()))
  }
  await done
  ok(seen.some(({ commandLine }) => commandLine.includes('IdentityFile=') && commandLine.includes('ssh')))
  deepEqual(seen.filter(mentions(lines)), [])
  await nothingLeft(hands, lines)
})

test('R02 git and all it starts get exactly the environment that they are given', async () => {
  await using world = new AsyncDisposableStack()
  const folder = await temporaryFolder(world)
  const seen: Seen[] = []
  const front = await fakeServer(world, folder, async (_, response) => {
    seen.push(...(await processes()))
    response.writeHead(404).end()
  })
  const hands = await workerHands(world)
  const credential = { kind: 'https' as const, username: USERNAME, password: PASSWORD }
  const data = { repository: 'app', url: front.url, ca: front.ca, branch: 'main', credential, texts: [] }
  await rejects(repositoryCheckout.run(hands, data))
  const ours = seen.filter(({ commandLine }) => commandLine.includes(front.url))
  ok(ours.length >= 2)
  const names = new Set(
    ours.flatMap(({ environment }) => environment.split('\0').map(pair => pair.split('=')[0])),
  )
  const foreign = [...names].filter(
    name => !/^(?:PATH|HOME|LC_ALL|SSH_ASKPASS|FAIRLEAD_GIT_\w+|GIT_\w+|)$/.test(name ?? ''),
  )
  deepEqual(foreign, [])
  for (const name of ['GIT_TRACE', 'GIT_CURL_VERBOSE', 'GIT_CONFIG_COUNT', 'GIT_SSL_NO_VERIFY']) {
    ok(!names.has(name))
  }
})

/** Arguments and environment of every other process of this machine. */
async function processes(): Promise<Seen[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
  return Promise.all(
    pids.map(async pid => ({
      commandLine: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
      environment: await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''),
    })),
  )
}

function mentions(texts: readonly string[]) {
  return ({ commandLine, environment }: Seen) =>
    texts.some(text => commandLine.includes(text) || environment.includes(text))
}

async function nothingLeft(hands: WorkerHands, texts: readonly string[]): Promise<void> {
  const names = await readdir(hands.workspace, { recursive: true, withFileTypes: true })
  for (const entry of names.filter(each => each.isFile())) {
    const content = await readFile(join(entry.parentPath, entry.name), 'latin1')
    ok(!texts.some(text => content.includes(text)), entry.name)
  }
  ok(!texts.some(text => hands.said.join('\n').includes(text)))
  const left = (await readdir(tmpdir())).filter(name => name.startsWith(`fairlead-call-${process.pid}-`))
  deepEqual(left, [])
}
