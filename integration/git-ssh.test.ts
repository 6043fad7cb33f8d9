import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { createBareRepository } from '#cli/demo/git-repository.ts'
import { repositoryCheckout, repositoryTip } from '#commands/repository.ts'
import type { FairleadError } from '#lib/errors.ts'
import { fingerprintOf } from '#programs/git-failure.ts'
import { craftCommit } from './world/crafted-repository.ts'
import { startSshd } from './world/sshd.ts'
import { temporaryFolder } from './world/temporary-folder.ts'
import { workerHands } from './world/worker-hands.ts'

const COMPOSE = 'services: {}\n'

async function sshWorld(world: AsyncDisposableStack) {
  const folder = await temporaryFolder(world)
  const repositoriesFolder = join(folder, 'repositories')
  const bare = await createBareRepository(join(repositoriesFolder, 'app.git'))
  const sshd = await startSshd({ folder: join(folder, 'sshd'), repositoriesFolder })
  world.defer(sshd.close)
  const hands = await workerHands(world)
  const credential = { kind: 'ssh' as const, privateKey: sshd.clientKey, knownHosts: sshd.hostKeys }
  return {
    bare,
    sshd,
    hands,
    data: { repository: 'app', url: sshd.url('app'), branch: 'main', credential, texts: ['*'] },
  }
}

function refused(code: string, message = /./) {
  return (error: FairleadError) => {
    equal(error.code, code, error.message)
    match(error.message, message)
    return true
  }
}

test('a repository is checked out over SSH with a deploy key and pinned host keys', async () => {
  await using world = new AsyncDisposableStack()
  const { bare, hands, data } = await sshWorld(world)
  const commit = await craftCommit(bare, { files: { 'compose.yaml': COMPOSE } })
  const result = await repositoryCheckout.run(hands, data)
  deepEqual([result.commit, result.texts], [commit, { 'compose.yaml': COMPOSE }])
  equal((await repositoryCheckout.run(hands, { ...data, known: commit })).unchanged, true)
  const { url, credential } = data
  deepEqual(await repositoryTip.run(hands, { url, credential }), { commit, branch: 'main' })
})

test('a key with Windows line ends and without a final one is accepted', async () => {
  await using world = new AsyncDisposableStack()
  const { bare, hands, data } = await sshWorld(world)
  await craftCommit(bare, { files: { 'compose.yaml': COMPOSE } })
  const privateKey = data.credential.privateKey.trim().replaceAll('\n', '\r\n')
  ok(await repositoryCheckout.run(hands, { ...data, credential: { ...data.credential, privateKey } }))
})

test('G22 a changed host key ends the job with both fingerprints', async () => {
  await using world = new AsyncDisposableStack()
  const { bare, sshd, hands, data } = await sshWorld(world)
  await craftCommit(bare, { files: { 'compose.yaml': COMPOSE } })
  await repositoryCheckout.run(hands, data)
  const pinned = ed25519(sshd.hostKeys)
  await sshd.replaceHostKey()
  const offered = ed25519(sshd.hostKeys)
  await rejects(repositoryCheckout.run(hands, data), (error: FairleadError) => {
    equal(error.code, 'HOST_KEY_CHANGED')
    equal(error.retry, 'never')
    ok(error.message.includes(pinned) && error.message.includes(offered), error.message)
    match(error.message, /\[127\.0\.0\.1\]:\d+/)
    return true
  })
})

test('G22 a host without a pinned key is never trusted on first use', async () => {
  await using world = new AsyncDisposableStack()
  const { sshd, hands, data } = await sshWorld(world)
  const knownHosts = sshd.hostKeys.replaceAll('127.0.0.1', '127.0.0.2')
  const asked = repositoryCheckout.run(hands, { ...data, credential: { ...data.credential, knownHosts } })
  await rejects(asked, (error: FairleadError) => {
    equal(error.code, 'HOST_KEY_UNKNOWN', error.message)
    match(error.hint, new RegExp(`ssh-keyscan -t ed25519 -p ${sshd.port} 127\\.0\\.0\\.1`))
    return true
  })
})

test('a name is pinned to its checked address while its host key is looked up by name', async () => {
  await using world = new AsyncDisposableStack()
  const { bare, sshd, data } = await sshWorld(world)
  const commit = await craftCommit(bare, { files: { 'compose.yaml': COMPOSE } })
  const hands = await workerHands(world, { addresses: { 'git.example.test': ['127.0.0.1'] } })
  const credential = {
    ...data.credential,
    knownHosts: sshd.hostKeys.replaceAll('127.0.0.1', 'git.example.test'),
  }
  const url = data.url.replace('127.0.0.1', 'git.example.test')
  equal((await repositoryTip.run(hands, { url, credential, branch: 'main' })).commit, commit)
})

test('what the server or the key refuses is told with the way out', async () => {
  await using world = new AsyncDisposableStack()
  const { hands, sshd, data } = await sshWorld(world)
  const other = await startSshd({
    folder: join(await temporaryFolder(world), 'other'),
    repositoriesFolder: '/nowhere',
  })
  world.defer(other.close)
  const { credential } = data
  const ask = (more: object) => repositoryCheckout.run(hands, { ...data, ...more })
  await rejects(ask({ url: sshd.url('nothing') }), refused('REPOSITORY_NOT_FOUND'))
  await rejects(ask({ branch: 'nothing' }), refused('BRANCH_NOT_FOUND'))
  const foreign = { ...credential, privateKey: other.clientKey }
  await rejects(ask({ credential: foreign }), refused('REPOSITORY_CREDENTIAL_REFUSED'))
  const broken = { ...credential, privateKey: 'no key at all' }
  await rejects(ask({ credential: broken }), refused('REPOSITORY_CREDENTIAL_REFUSED'))
  await sshd.close()
  await rejects(ask({}), refused('REPOSITORY_UNREACHABLE'))
})

function ed25519(hostKeys: string): string {
  return fingerprintOf(hostKeys.split('\n').find(line => line.includes('ssh-ed25519')) ?? '')
}
