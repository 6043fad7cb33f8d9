import { deepEqual, doesNotMatch, equal, match, ok, rejects } from 'node:assert/strict'
import { access, chmod, lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { repositoryCheckout, repositoryRead, repositoryTrees } from '#commands/repository.ts'
import { checkoutFolder, foldersOf } from '#commands/repository-folders.ts'
import { check } from '#lib/check.ts'
import type { FairleadError } from '#lib/errors.ts'
import { listRefs } from '#programs/git.ts'
import { type Crafted, craftBlob, craftTree } from './world/crafted-repository.ts'
import { type GitWorld, gitWorld } from './world/git-world.ts'

const COMPOSE = 'services: {}\n'

function checkout({ hands, data }: GitWorld, more: Record<string, unknown> = {}) {
  return repositoryCheckout.run(hands, check(repositoryCheckout.data, { ...data, ...more }, 'data'))
}

function refused(code: string, message = /./) {
  return (error: FairleadError) => {
    equal(error.code, code, error.message)
    match(error.message, message)
    doesNotMatch(JSON.stringify(error), /root:/)
    return true
  }
}

function published({ hands }: GitWorld, commit: string, ...path: string[]): string {
  return join(checkoutFolder(hands.workspace, 'app', commit), ...path)
}

async function nothingKept({ hands }: GitWorld): Promise<void> {
  const { mirror, checkouts } = foldersOf(hands.workspace, 'app')
  deepEqual(await readdir(checkouts).catch(() => []), [])
  deepEqual(await readdir(join(mirror, 'objects', 'pack')), [])
  deepEqual(await hands.perform(listRefs(mirror)), [])
}

describe('symbolic links', () => {
  test('G11 compose.yaml as a link is named as such and its target never shown', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const commit = await git.commit({ 'compose.yaml': { link: '/etc/passwd' } })
    const isLink = refused('PATH_IS_LINK', /^compose\.yaml is a symbolic link\.$/)
    await rejects(checkout(git), isLink)
    await rejects(checkout(git, { texts: ['compose.yaml'] }), isLink)

    const { links, texts, warnings } = await checkout(git, { texts: [] })
    deepEqual([links, texts], [['compose.yaml'], {}])
    match(warnings.join(), /Symbolic links are not followed.*compose\.yaml/)
    const file = published(git, commit, 'compose.yaml')
    ok((await lstat(file)).isFile())
    equal(await readFile(file, 'utf8'), '/etc/passwd')
    const read = repositoryRead.run(git.hands, { repository: 'app', commit, paths: ['compose.yaml'] })
    await rejects(read, isLink)
  })

  test('G12 a folder that is a link cannot be read through', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const links = {
      dir: { link: '/' },
      dotgit: { link: '.git' },
      sub: { folder: { etc: { link: '../../../../etc' } } },
    }
    const commit = await git.commit(links)
    await rejects(
      checkout(git, { texts: ['dir/etc/passwd'] }),
      refused('PATH_IS_LINK', /dir is a symbolic link/),
    )
    await rejects(
      checkout(git, { texts: ['sub/etc/*'] }),
      refused('PATH_IS_LINK', /sub\/etc is a symbolic link/),
    )
    await checkout(git, { texts: [] })
    for (const path of ['dir', 'dotgit', 'sub/etc']) {
      ok((await lstat(published(git, commit, path))).isFile())
    }
    const paths = ['dir/etc/passwd', 'sub/etc/passwd']
    const { ids } = await repositoryTrees.run(git.hands, { repository: 'app', commit, paths })
    deepEqual(ids, { 'dir/etc/passwd': null, 'sub/etc/passwd': null })
  })
})

describe('what runs programs or writes into .git', () => {
  const MODULES = {
    'an update command': '[submodule "x"]\n\tpath = x\n\turl = https://h/x\n\tupdate = !touch CANARY\n',
    'an option as address': '[submodule "x"]\n\tpath = x\n\turl = -u./payload\n',
    'an option as path': '[submodule "x"]\n\tpath = --upload-pack=touch\n\turl = https://h/x\n',
    'a line break in the address': '[submodule "x"]\n\tpath = x\n\turl = "https://h/x\\n.evil"\n',
    'a name that climbs out': '[submodule "../../x"]\n\tpath = x\n\turl = https://h/x\n',
  }
  for (const [what, text] of Object.entries(MODULES)) {
    test(`G13 .gitmodules with ${what} is refused and nothing of it kept`, async () => {
      await using world = new AsyncDisposableStack()
      const git = await gitWorld(world)
      await git.commit({ '.gitmodules': text, x: { submodule: 'a'.repeat(40) } })
      await rejects(checkout(git), refused('REPOSITORY_REFUSED_BY_FSCK', /gitmodules/))
      await nothingKept(git)
    })
  }

  test('G13 a submodule with a carriage return in its path is never fetched', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const modules = '[submodule "x"]\n\tpath = "x\r"\n\turl = https://127.0.0.1:9/x\n'
    const commit = await git.commit({ '.gitmodules': modules, 'x\r': { submodule: 'a'.repeat(40) } })
    const { warnings } = await checkout(git, { texts: [] })
    match(warnings.join(), /Submodules are not fetched/)
    deepEqual(await readdir(published(git, commit, 'x\r')), [])
  })

  test('G14 a bare repository inside the tree with a monitor command is data', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const canary = join(git.folder, 'CANARY')
    const config = `[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n\tfsmonitor = touch ${canary}\n`
    const inner = {
      HEAD: 'ref: refs/heads/main\n',
      config,
      objects: { folder: { x: '' } },
      refs: { folder: { x: '' } },
    }
    const commit = await git.commit({ ...inner, sub: { folder: inner }, 'compose.yaml': COMPOSE })
    await checkout(git)
    await checkout(git, { known: commit })
    await repositoryRead.run(git.hands, { repository: 'app', commit, paths: ['sub/*'] })
    ok(git.hands.calls.every(call => call.kind !== 'program' || call.cwd === '/'))
    await rejects(access(canary))
  })

  test('G15 attributes select no filter, driver or substitution', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const attributes = '* filter=evil diff=evil merge=evil export-subst\n'
    const commit = await git.commit({ '.gitattributes': attributes, 'v.txt': '$Format:%H$\n' })
    await checkout(git, { texts: [] })
    equal(await readFile(published(git, commit, 'v.txt'), 'utf8'), '$Format:%H$\n')
  })

  for (const name of ['.git', '.GIT', 'git~1', '.g\u200cit']) {
    test(`G16 a folder ${JSON.stringify(name)} in the tree is refused`, async () => {
      await using world = new AsyncDisposableStack()
      const git = await gitWorld(world)
      await git.commit({ [name]: { folder: { config: '[core]\n\thooksPath = x\n' } } })
      await rejects(checkout(git, { texts: [] }), refused('REPOSITORY_REFUSED_BY_FSCK', /hasDotgit/))
      await nothingKept(git)
    })
  }

  test('G17 hooks in the tree and even in the mirror do not run', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const canary = join(git.folder, 'CANARY')
    const hook = `#!/bin/sh\ntouch ${canary}\n`
    await git.commit({ hooks: { folder: { 'post-checkout': hook } } })
    await checkout(git, { texts: [] })
    const { mirror } = foldersOf(git.hands.workspace, 'app')
    ok(!(await readdir(mirror)).includes('hooks'))
    await mkdir(join(mirror, 'hooks'))
    for (const name of ['post-checkout', 'reference-transaction', 'post-index-change', 'pre-auto-gc']) {
      await writeFile(join(mirror, 'hooks', name), hook)
      await chmod(join(mirror, 'hooks', name), 0o755)
    }
    await git.commit({ x: '2' })
    await checkout(git, { texts: [] })
    await rejects(access(canary))
  })

  test('G18 files of LFS stay pointers, with a warning', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12345\n`
    const attributes = '*.bin filter=lfs diff=lfs merge=lfs -text\n'
    const commit = await git.commit({ '.gitattributes': attributes, 'model.bin': pointer })
    const { warnings, texts } = await checkout(git, { texts: ['model.bin'] })
    match(warnings.join(), /Git LFS/)
    deepEqual(texts, { 'model.bin': pointer })
    equal(await readFile(published(git, commit, 'model.bin'), 'utf8'), pointer)
  })
})

describe('G19 limits', () => {
  const LARGE: Record<string, Readonly<Record<string, Crafted>>> = {
    'too many files': Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`f${index}`, 'x'])),
    'too many bytes': { 'a.txt': 'x'.repeat(600_000), 'b.txt': 'y'.repeat(600_000) },
    'a path that is too deep': nested(65),
    'a name that is too long': { ['n'.repeat(300)]: 'x' },
    'a path that is too long': {
      ['n'.repeat(250)]: {
        folder: {
          ['n'.repeat(250)]: {
            folder: {
              ['n'.repeat(250)]: { folder: { ['n'.repeat(250)]: { folder: { ['n'.repeat(30)]: 'x' } } } },
            },
          },
        },
      },
    },
  }
  for (const [what, files] of Object.entries(LARGE)) {
    test(`G19 ${what}`, async () => {
      await using world = new AsyncDisposableStack()
      const git = await gitWorld(world)
      await git.commit(files)
      await rejects(
        checkout(git, { limits: { files: 50, bytes: 1_000_000 } }),
        refused('REPOSITORY_TOO_LARGE'),
      )
      deepEqual(await readdir(foldersOf(git.hands.workspace, 'app').checkouts).catch(() => []), [])
    })
  }

  test('G19 a pack beyond the limit is cut off and the disk given back', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world, {
      change: call =>
        call.kind === 'program' && call.maxFileBytes ? { ...call, maxFileBytes: 50_000 } : call,
    })
    await git.commit({ 'big.txt': Array.from({ length: 20_000 }, () => Math.random()).join() })
    await rejects(checkout(git), refused('REPOSITORY_TOO_LARGE'))
    await nothingKept(git)
  })

  test('G19 a tree that unfolds to a thousand million files from few objects is refused', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const names = Array.from({ length: 10 }, (_, index) => `d${index}`)
    let entry = { mode: '100644', id: await craftBlob(git.bare, 'x') }
    for (let level = 0; level < 9; level++) {
      entry = { mode: '40000', id: await craftTree(git.bare, tenfold(names, entry)) }
    }
    await git.commit({ bomb: entry })
    await rejects(checkout(git, { limits: { files: 5000 } }), refused('REPOSITORY_TOO_LARGE', /5000 files/))
  })

  test('G19 names that differ only in case or Unicode form are different files', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    const names = ['README', 'readme', 'caf\u00e9', 'cafe\u0301']
    const commit = await git.commit(Object.fromEntries(names.map(name => [name, name])))
    await checkout(git, { texts: [] })
    for (const name of names) {
      equal(await readFile(published(git, commit, name), 'utf8'), name)
    }
  })

  test('texts that do not fit one answer are refused by name', async () => {
    await using world = new AsyncDisposableStack()
    const git = await gitWorld(world)
    await git.commit({ 'compose.yaml': 'x'.repeat(700_000), 'compose.a.yaml': 'y' })
    await rejects(checkout(git), refused('TEXTS_TOO_LARGE', /compose\.yaml/))
  })
})

test('G27 message and author with terminal codes, markup and a megabyte arrive inert and short', async () => {
  await using world = new AsyncDisposableStack()
  const git = await gitWorld(world)
  const hostile = '\u001b]0;owned\u0007\u001b[2J</script>[link](javascript:alert(1))\u202e\u009b31m\r'
  await git.commit(
    { x: '1' },
    {
      message: `${hostile}${'A'.repeat(1_000_000)}\n`,
      author: `${hostile.replaceAll('<', '').replaceAll('>', '')}Eve <e@x>`,
    },
  )
  const { subject, author } = await checkout(git, { texts: [] })
  for (const text of [subject, author]) {
    ok([...text].length <= 200)
    doesNotMatch(text, /\p{C}/u)
    match(text, /javascript:alert/)
  }
  doesNotMatch(git.hands.said.join(), /\p{C}/u)
})

test('a file whose content imitates the frame between two files is read as it is', async () => {
  await using world = new AsyncDisposableStack()
  const git = await gitWorld(world)
  const files = {
    'a.txt': `\n${'0'.repeat(64)} ${'1'.repeat(40)} blob\n`,
    'b.txt': '',
    'c.txt': '\n\n',
    'd.txt': 'no end',
  }
  await git.commit(files)
  deepEqual((await checkout(git, { texts: ['*.txt'] })).texts, files)
})

function tenfold(names: readonly string[], entry: Crafted): Readonly<Record<string, Crafted>> {
  return Object.fromEntries(names.map(name => [name, entry]))
}

function nested(depth: number): Readonly<Record<string, Crafted>> {
  return { d: depth === 0 ? 'x' : { folder: nested(depth - 1) } }
}
