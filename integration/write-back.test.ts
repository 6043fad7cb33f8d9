import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createBareRepository, GIT_ENVIRONMENT } from '#cli/demo/git-repository.ts'
import { repositoryCheckout } from '#commands/repository.ts'
import type { WrittenBack } from '#commands/repository-blocks.ts'
import { repositoryWriteBack } from '#commands/repository-write-back.ts'
import { check } from '#lib/check.ts'
import type { FairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { mustRun } from './world/command.ts'
import { craftCommit } from './world/crafted-repository.ts'
import { type GitWorld, gitWorld } from './world/git-world.ts'
import { startSshd } from './world/sshd.ts'
import { temporaryFolder } from './world/temporary-folder.ts'
import { workerHands } from './world/worker-hands.ts'

const DEPLOYED = 'd'.repeat(40)

function blockOf(name: string, text = 'live', path = 'URL.md') {
  return { path, marker: `fairlead:${name}`, version: 1, text }
}

type Block = ReturnType<typeof blockOf>

/** Data of the command, checked as a worker does. */
function dataOf(data: object, blocks: readonly Block[], deployment = newId()) {
  const whole = { ...data, blocks, deployment, commit: DEPLOYED, texts: undefined }
  return check(repositoryWriteBack.data, JSON.parse(JSON.stringify(whole)), 'data')
}

function write({ hands, data }: Pick<GitWorld, 'hands' | 'data'>, blocks: readonly Block[], id?: string) {
  return repositoryWriteBack.run(hands, dataOf(data, blocks, id))
}

function git(bare: string, ...args: string[]): Promise<string> {
  return mustRun('git', [`--git-dir=${bare}`, ...args], { folder: '/', env: GIT_ENVIRONMENT })
}

function textOf(bare: string, path = 'URL.md'): Promise<string> {
  return git(bare, 'show', `main:${path}`)
}

async function countCommits(bare: string): Promise<number> {
  return Number(await git(bare, 'rev-list', '--count', 'main'))
}

async function addHook(bare: string, name: string, lines: readonly string[]): Promise<void> {
  await writeFile(join(bare, 'hooks', name), `${['#!/bin/sh', ...lines].join('\n')}\n`, { mode: 0o755 })
}

function fails(code: string, message = /./) {
  return (error: FairleadError) => {
    equal(error.code, code, error.message)
    match(error.message, message)
    equal(error.retry, 'never')
    return true
  }
}

test('a block is pushed in one commit of ours that leaves everything else as it was', async () => {
  await using world = new AsyncDisposableStack()
  const server = await gitWorld(world)
  const first = await server.commit({
    a: 'x',
    docs: { folder: { 'URL.md': '# Mine\n' } },
    link: { link: 'a' },
  })
  const id = newId()
  const written = await write(server, [blockOf('shop'), blockOf('blog', 'here', 'docs/URL.md')], id)
  check(repositoryWriteBack.result, written, 'result')
  const tip = (await git(server.bare, 'rev-parse', 'main')).trim()
  deepEqual({ ...written }, { outcome: 'pushed', commit: tip, parent: first, skips: false, warnings: [] })
  match(await textOf(server.bare, 'docs/URL.md'), /^# Mine\n\n<!-- fairlead:blog:begin v=1 -->\nhere\n/)
  deepEqual((await git(server.bare, 'diff', '--name-status', first, tip)).trim().split('\n'), [
    'A\tURL.md',
    'M\tdocs/URL.md',
  ])
  equal(
    await git(server.bare, 'log', '-1', '--format=%an <%ae> %cn%n%B', 'main'),
    `Fairlead <noreply@fairlead.invalid> Fairlead\nchore(deploy): update 2 files [skip ci]\n\nDeploy-Id: ${id}\nDeployed-Commit: ${DEPLOYED}\n\n`,
  )
  const seen = await repositoryCheckout.run(server.hands, { ...server.data, texts: [] })
  deepEqual([seen.commit, seen.skips, seen.deploy_id], [tip, true, id])
})

test('what stands there already is not written again, also by a worker that does not know that it did', async () => {
  await using world = new AsyncDisposableStack()
  const server = await gitWorld(world)
  const first = await server.commit({ a: 'x' })
  const id = newId()
  const { commit } = await write(server, [blockOf('shop')], id)
  const hands = await workerHands(world)
  const again = await write({ ...server, hands }, [blockOf('shop')], id)
  deepEqual([again.outcome, again.commit, again.parent], ['pushed', commit, first])
  ok(!hands.programs().includes('push'))
  const other = await write(server, [blockOf('shop')])
  deepEqual([other.outcome, other.commit, other.parent], ['unchanged', commit, null])
  equal(await countCommits(server.bare), 2)
})

test('a worker that was killed after its push finds its commit below what somebody pushed since', async () => {
  await using world = new AsyncDisposableStack()
  const server = await gitWorld(world)
  await server.commit({ a: 'x' })
  const id = newId()
  await write(server, [blockOf('shop')], id)
  const text = await textOf(server.bare)
  const later = await server.commit({ a: 'y', 'URL.md': text })
  const again = await write(server, [blockOf('shop')], id)
  deepEqual([again.outcome, again.commit], ['unchanged', later])
})

test('G24 20 writers at once all land, each once, and nobody loses what another wrote', async () => {
  await using world = new AsyncDisposableStack()
  const server = await gitWorld(world)
  await server.commit({ 'URL.md': '# Ours\n' })
  const names = Array.from({ length: 20 }, (_, index) => `app-${index}`)
  // A worker does the commands of one repository one after another; four of them know nothing of each other.
  const workers = await Promise.all([0, 1, 2, 3].map(() => workerHands(world)))
  const written = await Promise.all(
    workers.map(async (hands, worker) => {
      const own: WrittenBack[] = []
      for (const name of names.filter((_, index) => index % workers.length === worker)) {
        own.push(await write({ ...server, hands }, [blockOf(name, `this is ${name}`)]))
      }
      return own
    }),
  ).then(each => each.flat())
  ok(written.every(({ outcome }) => outcome === 'pushed'))
  equal(new Set(written.map(({ parent }) => parent)).size, 20)
  const text = await textOf(server.bare)
  ok(text.startsWith('# Ours\n'))
  for (const name of names) {
    equal(text.split(`this is ${name}\n`).length, 2, name)
  }
  equal(await countCommits(server.bare), 21)
})

describe('what a server does not let us push is told, and is not tried again', () => {
  test('G25 a protected branch', async () => {
    await using world = new AsyncDisposableStack()
    const server = await gitWorld(world)
    const first = await server.commit({ a: 'x' })
    await addHook(server.bare, 'update', [
      'echo "error: GH006: Protected branch update failed for $1." >&2',
      'exit 1',
    ])
    await rejects(write(server, [blockOf('shop')]), fails('BRANCH_PROTECTED', /"main": .*GH006/))
    equal(server.hands.programs().filter(each => each === 'push').length, 1)
    equal((await git(server.bare, 'rev-parse', 'main')).trim(), first)
  })

  test('G25 a repository that the credential may only read', async () => {
    await using world = new AsyncDisposableStack()
    const server = await gitWorld(world)
    await server.commit({ a: 'x' })
    await git(server.bare, 'config', 'http.receivepack', 'false')
    await rejects(write(server, [blockOf('shop')]), fails('PUSH_REFUSED'))
    equal(server.hands.programs().filter(each => each === 'push').length, 1)
  })

  test('a path that is not for us reaches no program, and a link is not written through', async () => {
    await using world = new AsyncDisposableStack()
    const server = await gitWorld(world)
    await server.commit({ 'URL.md': { link: 'a' }, a: 'x' })
    for (const path of [
      '../URL.md',
      '/URL.md',
      '.github/URL.md',
      'a/.GIT/URL.md',
      'git~1/URL.md',
      'README.md',
    ]) {
      await rejects(write(server, [blockOf('shop', 'x', path)]), fails('WRITE_BACK_PATH_REFUSED'))
    }
    deepEqual(server.hands.programs(), [])
    await rejects(write(server, [blockOf('shop')]), fails('PATH_IS_LINK'))
  })
})

test('what cannot be read as ours is left alone with a warning', async () => {
  await using world = new AsyncDisposableStack()
  const server = await gitWorld(world)
  const unknown = '<!-- fairlead:shop:begin v=9 -->\nx\n<!-- fairlead:shop:end -->\n'
  const tip = await server.commit({ 'URL.md': unknown })
  const written = await write(server, [blockOf('shop')])
  deepEqual([written.outcome, written.commit], ['unchanged', tip])
  match(written.warnings.join(), /URL\.md is left alone: .*version 9/)
})

test('a commit is pushed over SSH with a deploy key, into a race without an order', async () => {
  await using world = new AsyncDisposableStack()
  const folder = await temporaryFolder(world)
  const repositoriesFolder = join(folder, 'repositories')
  const bare = await createBareRepository(join(repositoriesFolder, 'app.git'))
  const sshd = await startSshd({ folder: join(folder, 'sshd'), repositoriesFolder })
  world.defer(sshd.close)
  await craftCommit(bare, { files: { a: 'x' } })
  const credential = { kind: 'ssh' as const, privateKey: sshd.clientKey, knownHosts: sshd.hostKeys }
  const data = { repository: 'app', url: sshd.url('app'), branch: 'main', credential }
  const names = ['one', 'two']
  const writers = await Promise.all(names.map(async name => ({ name, hands: await workerHands(world) })))
  await Promise.all(
    writers.map(({ name, hands }) => repositoryWriteBack.run(hands, dataOf(data, [blockOf(name)]))),
  )
  equal(await countCommits(bare), 3)
  const text = await textOf(bare)
  ok(names.every(name => text.includes(`fairlead:${name}:begin`)))
})
