import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { freePort } from '#cli/demo/free-port.ts'
import {
  repositoryChanges,
  repositoryCheckout,
  repositoryForget,
  repositoryRead,
  repositoryTip,
  repositoryTrees,
} from '#commands/repository.ts'
import { repositoryBytes } from '#commands/repository-bytes.ts'
import { checkoutFolder, foldersOf } from '#commands/repository-folders.ts'
import { check } from '#lib/check.ts'
import type { FairleadError } from '#lib/errors.ts'
import { listRefs } from '#programs/git.ts'
import { craftBlob, craftCommit } from './world/crafted-repository.ts'
import { type GitWorld, gitWorld } from './world/git-world.ts'

const COMPOSE = 'services: {}\n'

function checkout({ hands, data }: GitWorld, more: Record<string, unknown> = {}) {
  return repositoryCheckout.run(hands, check(repositoryCheckout.data, { ...data, ...more }, 'data'))
}

function packsOf({ hands }: GitWorld): string {
  return join(foldersOf(hands.workspace, 'app').mirror, 'objects', 'pack')
}

function fails(code: string, expected: { message?: RegExp; retry?: string } = {}) {
  return (error: FairleadError) => {
    equal(error.code, code, error.message)
    match(error.message, expected.message ?? /./)
    equal(error.retry, expected.retry ?? error.retry)
    ok(error.hint.length > 20)
    return true
  }
}

describe('a checkout', () => {
  test('gives facts, paths and texts, and publishes the files', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const commit = await git.commit(
      { 'compose.yaml': COMPOSE, 'a b': { folder: { 'ü.txt': 'x' } }, 'n.bin': '\u0000' },
      { message: 'Add it\n\nbecause\n' },
    )
    const result = await checkout(git, { texts: ['compose*.y*ml', 'a b/ü.txt', 'absent', 'absent/*'] })
    check(repositoryCheckout.result, result, 'result')
    deepEqual(
      { ...result, tree: '' },
      {
        commit,
        tree: '',
        subject: 'Add it',
        author: 'Ada',
        date: 1_700_000_000_000,
        skips: false,
        unchanged: false,
        paths: ['a b/ü.txt', 'compose.yaml', 'n.bin'],
        truncated: false,
        links: [],
        texts: { 'compose.yaml': COMPOSE, 'a b/ü.txt': 'x' },
        warnings: [],
      },
    )
    const folder = checkoutFolder(git.hands.workspace, 'app', commit)
    deepEqual(await readdir(folder), ['a b', 'compose.yaml', 'n.bin'])
    equal(await readFile(join(folder, 'compose.yaml'), 'utf8'), COMPOSE)
    deepEqual(await readdir(join(git.hands.workspace, 'checkouts', 'app')), [commit])
    deepEqual(git.hands.programs(), ['init', 'fetch', 'ls-tree', 'log', 'cat-file', 'read-tree'])
  })

  test('a checkout of the commit that is deployed fetches nothing and starts three short programs', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const known = await git.commit({ 'compose.yaml': COMPOSE })
    equal((await checkout(git)).unchanged, false)
    git.hands.calls.length = 0
    const result = await checkout(git, { known })
    deepEqual([result.unchanged, result.commit, result.texts], [true, known, { 'compose.yaml': COMPOSE }])
    deepEqual(git.hands.programs().toSorted(), ['cat-file', 'log', 'ls-tree'])
    equal(git.hands.calls.filter(call => call.kind === 'request').length, 1)
  })

  test('of a new tip fetches once and leaves the old checkout as it is', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const known = await git.commit({ 'compose.yaml': COMPOSE })
    await checkout(git)
    const commit = await git.commit({ 'compose.yaml': 'services: {a: {}}\n' })
    git.hands.calls.length = 0
    const result = await checkout(git, { known })
    deepEqual([result.commit, result.unchanged], [commit, false])
    equal(git.hands.programs().filter(program => program === 'fetch').length, 1)
    const old = checkoutFolder(git.hands.workspace, 'app', known)
    equal(await readFile(join(old, 'compose.yaml'), 'utf8'), COMPOSE)
  })

  test('G29 of an exact commit works for one that is no tip, and later without the server', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const old = await git.commit({ 'compose.yaml': 'services: {old: {}}\n' })
    await git.commit({ 'compose.yaml': COMPOSE })
    equal((await checkout(git, { commit: old })).commit, old)
    await rm(join(git.bare, 'objects'), { recursive: true })
    await repositoryForget.run(git.hands, { repository: 'app', keep: [old] })
    git.hands.calls.length = 0
    equal((await checkout(git, { commit: old })).texts['compose.yaml'], 'services: {old: {}}\n')
    deepEqual(git.hands.programs().toSorted(), ['cat-file', 'log', 'ls-tree'])
  })

  test('G28 takes the branch when a tag or an odd branch has the same name', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const commit = await git.commit({ 'compose.yaml': COMPOSE })
    await git.commit({ evil: '1' }, { ref: 'refs/tags/main' })
    await git.commit({ evil: '2' }, { ref: 'refs/heads/refs/heads/main' })
    await git.commit({ evil: '3' }, { ref: 'refs/remotes/x/refs/heads/main' })
    equal((await checkout(git)).commit, commit)
    equal((await checkout(git, { known: commit })).unchanged, true)
    const { credential, url, ca } = git.data
    deepEqual(await repositoryTip.run(git.hands, { url, ca, credential, branch: 'main' }), {
      commit,
      branch: 'main',
    })
    deepEqual(await repositoryTip.run(git.hands, { url, ca, credential }), { commit, branch: 'main' })
  })

  test('reports paths near the root first when there are too many', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const file = { mode: '100644', id: await craftBlob(git.bare, 'x') }
    const many = Object.fromEntries(Array.from({ length: 5100 }, (_, index) => [`f${index}`, file]))
    await git.commit({ a: { folder: many }, 'compose.yaml': COMPOSE })
    const { paths, truncated } = await checkout(git)
    deepEqual([paths.length, paths[0], truncated], [5000, 'compose.yaml', true])
  })
})

describe('a commit that is here', () => {
  test('gives files that are no text as they are, and none that is too large or a link', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const bytes = Buffer.from(Array.from({ length: 1024 }, (_, index) => index % 256))
    const file = { mode: '100644', id: await craftBlob(git.bare, bytes) }
    const large = { mode: '100644', id: await craftBlob(git.bare, Buffer.concat([bytes, bytes])) }
    const files = { 'prod.env.age': file, 'large.age': large, 'link.age': { link: 'prod.env.age' } }
    const commit = await git.commit({ 'compose.yaml': COMPOSE, ...files })
    await checkout(git)
    const read = (...paths: string[]) =>
      repositoryBytes.run(git.hands, { repository: 'app', commit, paths, mostBytes: 1024 })
    deepEqual((await read('prod.env.age', 'large.age', 'none.age')).files, {
      'prod.env.age': bytes.toString('base64'),
      'large.age': null,
    })
    await rejects(read('link.age'), fails('PATH_IS_LINK'))
  })

  test('can be read, compared and forgotten', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const first = await git.commit({ 'compose.yaml': COMPOSE, api: { folder: { Dockerfile: 'FROM x' } } })
    await checkout(git)
    const second = await git.commit({ 'compose.yaml': 'x: 1', api: { folder: { Dockerfile: 'FROM x' } } })
    await checkout(git)
    const of = (commit: string) => ({ repository: 'app', commit })
    deepEqual((await repositoryRead.run(git.hands, { ...of(first), paths: ['api/*', '**/*.yaml'] })).texts, {
      'api/Dockerfile': 'FROM x',
      'compose.yaml': COMPOSE,
    })
    const paths = ['api', 'compose.yaml', '.', 'none', 'api/Dockerfile']
    const [a, b] = [
      (await repositoryTrees.run(git.hands, { ...of(first), paths })).ids,
      (await repositoryTrees.run(git.hands, { ...of(second), paths })).ids,
    ]
    equal(a.api, b.api)
    equal(a['api/Dockerfile'], b['api/Dockerfile'])
    ok(a['compose.yaml'] !== b['compose.yaml'] && a['.'] !== b['.'])
    equal(a.none, null)

    deepEqual(await repositoryForget.run(git.hands, { repository: 'app', keep: [second] }), {
      removed: [first],
    })
    deepEqual(await readdir(join(git.hands.workspace, 'checkouts', 'app')), [second])
    equal((await repositoryTrees.run(git.hands, { ...of(second), paths: ['api'] })).ids.api, b.api)

    await repositoryForget.run(git.hands, { repository: 'app', keep: [], mirror: 'remove' })
    deepEqual(await readdir(join(git.hands.workspace, 'checkouts')), [])
    deepEqual(await readdir(join(git.hands.workspace, 'repositories')), [])
    await rejects(
      repositoryTrees.run(git.hands, { ...of(second), paths: ['api'] }),
      fails('OBJECT_NOT_FOUND'),
    )
  })

  test('R22 R23 is compared with a later tip, whatever lies between: commits, renames, a forced push', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const deployed = await git.commit({
      shop: { folder: { 'a.ts': 'a', 'b.ts': 'b' } },
      docs: { folder: { x: 'x' } },
      'ü b': '1',
    })
    await checkout(git)
    await git.commit({ shop: { folder: { 'a.ts': 'other' } } })
    // Forced, and back to what was deployed but for a renamed file and two others: only the ends count.
    const tip = await git.commit({
      shop: { folder: { 'a.ts': 'a', 'c.ts': 'b' } },
      docs: { folder: { x: 'y' } },
      'ü b': '2',
    })
    await checkout(git)
    git.hands.calls.length = 0
    const changes = async (to: string, ...watch: string[]) => {
      const data = { repository: 'app', from: deployed, to, watch }
      return await repositoryChanges.run(git.hands, check(repositoryChanges.data, data, 'data'))
    }
    deepEqual(await changes(tip, 'shop'), {
      ...{ compared: 'yes', changed: 4, watched: 2 },
      examples: ['shop/b.ts', 'shop/c.ts'],
    })
    deepEqual((await changes(tip, 'ü b', 'shop/a.ts')).examples, ['ü b'])
    equal((await changes(tip, 'shop/a.ts', 'sho')).watched, 0)
    equal((await changes(deployed, '**')).changed, 0)
    equal((await changes('1'.repeat(40), 'shop')).compared, 'unknown')
    deepEqual(new Set(git.hands.programs()), new Set(['diff-tree']))
  })

  test('keeps the mirror small over many deployments', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    let commit = ''
    for (let number = 0; number < 24; number++) {
      commit = await git.commit({ 'compose.yaml': `# ${number}\n` })
      await checkout(git)
    }
    await repositoryForget.run(git.hands, { repository: 'app', keep: [commit] })
    const { mirror } = foldersOf(git.hands.workspace, 'app')
    const packs = (await readdir(join(mirror, 'objects', 'pack'))).filter(name => name.endsWith('.pack'))
    equal(packs.length, 1)
    equal((await checkout(git, { known: commit })).unchanged, true)
  })
})

describe('after a crash', () => {
  test('what died processes left is removed and the checkout succeeds', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    await git.commit({ 'compose.yaml': COMPOSE })
    await checkout(git)
    const commit = await git.commit({ 'compose.yaml': 'x: 1' })
    const { mirror, checkouts } = foldersOf(git.hands.workspace, 'app')
    await writeFile(join(mirror, 'shallow.lock'), '')
    await writeFile(join(mirror, 'objects', 'pack', 'tmp_pack_x'), 'half')
    await mkdir(join(checkouts, '.tmp-old', 'files'), { recursive: true })
    equal((await checkout(git)).commit, commit)
    ok(!(await readdir(checkouts)).includes('.tmp-old'))
    deepEqual(
      (await readdir(join(mirror, 'objects', 'pack'))).filter(name => name.startsWith('tmp_')),
      [],
    )
  })

  test('a damaged mirror is made anew', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const known = await git.commit({ 'compose.yaml': COMPOSE })
    await checkout(git)
    const packs = packsOf(git)
    for (const name of await readdir(packs)) {
      await truncate(join(packs, name), 20)
    }
    equal((await checkout(git, { known })).texts['compose.yaml'], COMPOSE)
  })
})

describe('what a server refuses is told with the way out', () => {
  test('repository, branch, commit, credential and certificate', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const commit = await git.commit({ 'compose.yaml': COMPOSE })
    const { credential } = git.data
    await rejects(checkout(git, { url: git.server.url('nothing') }), fails('REPOSITORY_NOT_FOUND'))
    await rejects(checkout(git, { branch: 'nothing' }), fails('BRANCH_NOT_FOUND', { message: /"nothing"/ }))
    await rejects(checkout(git, { branch: 'nothing', known: commit }), fails('BRANCH_NOT_FOUND'))
    const wrong = { ...credential, password: 'wrong-password' }
    await rejects(checkout(git, { credential: wrong }), fails('REPOSITORY_CREDENTIAL_REFUSED'))
    await rejects(checkout(git, { credential: undefined }), fails('REPOSITORY_CREDENTIAL_NEEDED'))
    await rejects(checkout(git, { ca: undefined }), fails('REPOSITORY_CERTIFICATE_REFUSED'))
    const { mirror, checkouts } = foldersOf(git.hands.workspace, 'app')
    deepEqual(await git.hands.perform(listRefs(mirror)), [])
    await rejects(checkout(git, { commit: 'a'.repeat(40) }), fails('COMMIT_NOT_FOUND', { message: /aaaa/ }))
    deepEqual(await readdir(checkouts).catch(() => []), [])
  })

  test('servers that are not there are tried again later', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const dead = `https://127.0.0.1:${await freePort()}/app.git`
    const later = { retry: 'later' }
    await rejects(checkout(git, { url: dead }), fails('REPOSITORY_UNREACHABLE', later))
    const nowhere = 'https://no-such-host.invalid/app.git'
    await rejects(checkout(git, { url: nowhere }), fails('REPOSITORY_UNREACHABLE', later))
  })

  test('a credential that does not fit the address is refused before anything starts', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    await rejects(checkout(git, { url: 'ssh://git@127.0.0.1/app' }), fails('CREDENTIAL_DOES_NOT_FIT'))
    const ssh = { kind: 'ssh', privateKey: 'x', knownHosts: 'y' }
    await rejects(checkout(git, { credential: ssh }), fails('CREDENTIAL_DOES_NOT_FIT'))
    deepEqual(git.hands.programs(), [])
  })
})

test('G10 a branch name that git could take for something else reaches no program', async () => {
  await using world = new AsyncDisposableStack()
  const git = await gitWorld(world)
  for (const branch of ['--upload-pack=touch x', 'a..b', '@{-1}', 'x.lock']) {
    await rejects(checkout(git, { branch }), fails('BRANCH_NAME_REFUSED'))
  }
  deepEqual(git.hands.calls, [])
})

test('a branch may be called like an option further in, and hold a slash', async () => {
  await using world = new AsyncDisposableStack()
  const git = await gitWorld(world)
  const commit = await craftCommit(git.bare, { files: { x: '1' }, ref: 'refs/heads/release/--all' })
  equal((await checkout(git, { branch: 'release/--all', texts: [] })).commit, commit)
})
