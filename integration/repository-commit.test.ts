import { deepEqual, equal, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import { GIT_ENVIRONMENT } from '#cli/demo/git-repository.ts'
import { repositoryCommit } from '#commands/repository-commit.ts'
import { check } from '#lib/check.ts'
import { mustRun } from './world/command.ts'
import { type GitWorld, gitWorld } from './world/git-world.ts'
import { workerHands } from './world/worker-hands.ts'

const ADA = { name: 'Ada Lovelace', email: 'ada@example.org' }
const PATH = 'stacks/stack-instance.web.shop.json'
const ONE = '{ "enabled": true }\n'
const TWO = '{ "enabled": false }\n'

interface Wanted {
  readonly before: string | null
  readonly after: string | null
  readonly path?: string
  readonly also?: readonly { readonly path: string; readonly before: string }[]
}

async function commit({ hands, data }: Pick<GitWorld, 'hands' | 'data'>, wanted: Wanted) {
  const { texts: _, ...remote } = data
  const whole = { ...remote, path: PATH, subject: 'Deploy shop', author: ADA, ...wanted }
  const written = await repositoryCommit.run(hands, check(repositoryCommit.data, whole, 'data'))
  return check(repositoryCommit.result, written, 'result')
}

function git(bare: string, ...args: string[]): Promise<string> {
  return mustRun('git', [`--git-dir=${bare}`, ...args], { folder: '/', env: GIT_ENVIRONMENT })
}

test('R29 R30 R31 a file is made, changed and removed in commits of the person, which ask for a deployment', async () => {
  await using world = new AsyncDisposableStack()
  const server = await gitWorld(world)
  await server.commit({ 'docker-compose.web.yml': 'x', link: { link: 'a' } })
  for (const [before, after, status] of [
    [null, ONE, 'A'],
    [ONE, TWO, 'M'],
    [TWO, null, 'D'],
  ] as const) {
    const written = await commit(server, { before, after })
    equal(written.outcome, 'pushed')
    equal((await git(server.bare, 'rev-parse', 'main')).trim(), written.commit)
    equal((await git(server.bare, 'diff', '--name-status', 'main~', 'main')).trim(), `${status}\t${PATH}`)
  }
  equal(
    await git(server.bare, 'log', '-1', '--format=%an <%ae> %cn%n%B', 'main'),
    'Ada Lovelace <ada@example.org> Fairlead\nDeploy shop\n\n',
  )
})

test('R31 a stack in the first spelling goes with its Compose file in one commit, or not at all', async () => {
  await using world = new AsyncDisposableStack()
  const server = await gitWorld(world)
  const compose = 'docker-compose-old.yml'
  const tip = await server.commit({ 'stack-old.json': '{}', [compose]: 'services: {}', keep: 'x' })
  const wanted = { path: 'stack-old.json', before: '{}', after: null }
  deepEqual(await commit(server, { ...wanted, also: [{ path: compose, before: 'seen before' }] }), {
    ...{ outcome: 'conflict', commit: tip, text: 'services: {}', path: compose },
  })
  await rejects(commit(server, { ...wanted, also: [{ path: 'keep', before: 'x' }] }), {
    code: 'COMMITTED_PATH_REFUSED',
  })
  const { outcome } = await commit(server, { ...wanted, also: [{ path: compose, before: 'services: {}' }] })
  equal(outcome, 'pushed')
  equal(
    await git(server.bare, 'diff', '--name-status', 'main~', 'main'),
    `D\t${compose}\nD\tstack-old.json\n`,
  )
})

test('R30 what somebody else wrote meanwhile is not written over, and stands in the answer', async () => {
  await using world = new AsyncDisposableStack()
  const server = await gitWorld(world)
  const theirs = '{ "enabled": true, "parameters": [] }\n'
  const tip = await server.commit({ stacks: { folder: { 'stack-instance.web.shop.json': theirs } } })
  deepEqual(await commit(server, { before: ONE, after: TWO }), {
    outcome: 'conflict',
    commit: tip,
    text: theirs,
  })
  deepEqual(await commit(server, { before: null, after: TWO }), {
    outcome: 'conflict',
    commit: tip,
    text: theirs,
  })
  // Told once more after a worker was killed: it stands there as it shall be.
  equal((await commit(server, { before: ONE, after: theirs })).outcome, 'unchanged')
  equal((await git(server.bare, 'rev-parse', 'main')).trim(), tip)
})

test('G24 workers that know nothing of each other write eight stacks at once, and none is lost', async () => {
  await using world = new AsyncDisposableStack()
  const server = await gitWorld(world)
  await server.commit({ a: 'x' })
  const paths = Array.from({ length: 8 }, (_, index) => `stack-instance.web.shop-${index}.json`)
  const others = await Promise.all([workerHands(world), workerHands(world)])
  const lanes = others.map(async (hands, lane) => {
    for (const path of paths.filter((_, index) => index % others.length === lane)) {
      equal((await commit({ ...server, hands }, { path, before: null, after: ONE })).outcome, 'pushed')
    }
  })
  await Promise.all(lanes)
  const names = (await git(server.bare, 'ls-tree', '--name-only', 'main')).trim().split('\n')
  deepEqual(names, ['a', ...paths].sort())
})

test('a worker commits no other file and no text that is no object, and writes through no link', async () => {
  await using world = new AsyncDisposableStack()
  const server = await gitWorld(world)
  await server.commit({ stacks: { link: '/etc' }, 'stack-instance.web.a.json': { link: 'x' } })
  const write = (path: string, after: string) => commit(server, { path, before: null, after })
  await rejects(write('fairlead.yaml', ONE), { code: 'COMMITTED_PATH_REFUSED' })
  await rejects(write('../stack-instance.web.shop.json', ONE), { code: 'COMMITTED_PATH_REFUSED' })
  await rejects(write(PATH, '[]'), { code: 'BAD_INPUT' })
  await rejects(write(PATH, ONE), { code: 'PATH_IS_LINK' })
  await rejects(write('stack-instance.web.a.json', ONE), { code: 'PATH_IS_LINK' })
})
