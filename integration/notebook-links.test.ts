import { deepEqual, doesNotMatch, equal, match, ok, rejects } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { GIT_ENVIRONMENT } from '#cli/demo/git-repository.ts'
import type { NotebookLink } from '#commands/notebook-link-data.ts'
import { notebookLinks } from '#commands/notebook-links.ts'
import { notebookPicture } from '#commands/notebook-picture.ts'
import { notebookPreview } from '#commands/notebook-preview.ts'
import { repositoryCheckout, repositoryTrees } from '#commands/repository.ts'
import { foldersOf } from '#commands/repository-folders.ts'
import { check } from '#lib/check.ts'
import { newId } from '#lib/id.ts'
import { mustRun } from './world/command.ts'
import { type GitWorld, gitWorld } from './world/git-world.ts'
import { workerHands } from './world/worker-hands.ts'

const PNG = Buffer.from('89504e470d0a1a0aff00fe', 'hex')
const LINK = { mode: 'lab', tree: null, image: null, badge: null, preview: null, error: null } as const

function linkOf(slug: string, more: Partial<NotebookLink> = {}): NotebookLink {
  const url = `https://${slug}.nb.example.org/`
  return {
    ...LINK,
    slug,
    folder: slug,
    title: `About ${slug}`,
    status: 'live',
    url,
    commit: 'c'.repeat(40),
    ...more,
  }
}

async function write(
  { hands, data }: Pick<GitWorld, 'hands' | 'data'>,
  links: readonly NotebookLink[],
  id = newId(),
) {
  const whole = { ...data, links, write: id, texts: undefined }
  const written = await notebookLinks.run(
    hands,
    check(notebookLinks.data, JSON.parse(JSON.stringify(whole)), 'data'),
  )
  return check(notebookLinks.result, written, 'result')
}

function git(bare: string, ...args: string[]): Promise<string> {
  return mustRun('git', [`--git-dir=${bare}`, ...args], { folder: '/', env: GIT_ENVIRONMENT })
}

test('R10 R11 20 projects and the index are one commit beside racing pushes, and the same state is none', async () => {
  await using world = new AsyncDisposableStack()
  const server = await gitWorld(world)
  await server.commit({
    'notebooks.yaml': 'urlmd: { index: true }\n',
    p0: { folder: { 'URL.md': '# Mine\n\nwords\n', 'a.ipynb': '{}' } },
  })
  const links = Array.from({ length: 20 }, (_, index) => linkOf(`p${index}`))
  const other = await workerHands(world)
  // Two that know nothing of each other, with one half each, and then all of it.
  const halves = await Promise.all([
    write(server, links.slice(0, 10)),
    write({ ...server, hands: other }, links.slice(10)),
  ])
  deepEqual(
    halves.map(({ outcome, files }) => [outcome, files]),
    [
      ['pushed', 11],
      ['pushed', 11],
    ],
  )
  const whole = await write(server, links)
  deepEqual([whole.outcome, whole.files, whole.branch], ['pushed', 1, 'main'])
  const message = await git(server.bare, 'log', '-1', '--format=%B', 'main')
  match(
    message,
    /^Update notebook links \(1\) \[skip ci\]\n\nNb-Bot: url-md\nNb-Source: [0-9a-f]{40}\nDeploy-Id: /,
  )
  const text = await git(server.bare, 'show', 'main:p0/URL.md')
  match(text, /^# Mine\n\nwords\n\n<!-- nb:begin v=1 -->\n[\s\S]*<!-- nb:end -->\n$/)
  match(await git(server.bare, 'show', 'main:p7/URL.md'), /^# About p7\n\n<!-- nb:begin v=1 -->/)
  equal((await git(server.bare, 'show', 'main:URL.md')).match(/\[open\]/g)?.length, 20)
  const again = await write(server, links)
  deepEqual([again.outcome, again.commit, again.files], ['unchanged', whole.commit, 0])
})

test('R10 a failure keeps the link, what is gone is struck out where it stood, and one bad file keeps no other', async () => {
  await using world = new AsyncDisposableStack()
  const server = await gitWorld(world)
  const unknown = '<!-- nb:begin v=9 -->\nx\n<!-- nb:end -->\n'
  const tip = await server.commit({
    b: { folder: { 'URL.md': { link: '../x' } } },
    c: { folder: { 'URL.md': unknown } },
    x: 'x',
  })
  const id = newId()
  const first = await write(server, [linkOf('a'), linkOf('b'), linkOf('c')], id)
  deepEqual([first.outcome, first.files, first.parent], ['pushed', 1, tip])
  match(first.warnings.join(), /b\/URL\.md is left alone: .*c\/URL\.md is left alone: .*version 9/)
  const known = await write({ ...server, hands: await workerHands(world) }, [linkOf('a')], id)
  deepEqual([known.outcome, known.commit], ['pushed', first.commit])
  await write(server, [
    linkOf('a', { status: 'failed', error: 'pip: no matching distribution for numpyy' }),
    linkOf('gone', { status: 'removed' }),
  ])
  match(
    await git(server.bare, 'show', 'main:a/URL.md'),
    /\(https:\/\/a\.nb[\s\S]*\*\*Last error\*\* \| pip: no matching/,
  )
  await rejects(git(server.bare, 'show', 'main:gone/URL.md'))
  await write(server, [linkOf('a', { status: 'removed', url: null })])
  const written = await git(server.bare, 'show', 'main:a/URL.md')
  match(written, /\*\*Status\*\* \| removed/)
  await server.commit({ a: { folder: { 'URL.md': written.replace('| removed |', '| works well |') } } })
  const over = await write(server, [linkOf('a')])
  deepEqual(over.warnings, ['a/URL.md had been changed by hand between its marks: that was replaced'])
  deepEqual((await write(server, [linkOf('a', { mode: 'reader' })])).warnings, [])
})

test('R10 a protected branch has its links in nb-links, as one that notebooks.yaml sends there', async () => {
  await using world = new AsyncDisposableStack()
  const server = await gitWorld(world)
  const first = await server.commit({ a: { folder: { 'URL.md': '# A\n' } } })
  await writeFile(
    join(server.bare, 'hooks', 'update'),
    '#!/bin/sh\ncase "$1" in refs/heads/main) echo "error: GH006: Protected branch" >&2; exit 1;; esac\n',
    { mode: 0o755 },
  )
  const written = await write(server, [linkOf('a')])
  deepEqual([written.outcome, written.branch, written.parent], ['pushed', 'nb-links', first])
  match(written.warnings.join(), /GH006.*written to nb-links/)
  equal((await git(server.bare, 'rev-parse', 'main')).trim(), first)
  match(await git(server.bare, 'show', 'nb-links:a/URL.md'), /^# A\n\n<!-- nb:begin/)

  await git(server.bare, 'config', 'core.hooksPath', '/nonexistent')
  await server.commit({ 'notebooks.yaml': 'urlmd: { branch: nb-links }\n' })
  const named = await write(server, [linkOf('a'), linkOf('b')])
  deepEqual(
    [named.outcome, named.branch, named.parent, named.files],
    ['pushed', 'nb-links', written.commit, 1],
  )
})

test('R10 a merge request is asked for with the push where the server takes that, and said to be missing where not', async () => {
  await using world = new AsyncDisposableStack()
  const server = await gitWorld(world)
  const first = await server.commit({ 'notebooks.yaml': 'urlmd: { mode: merge-request }\n' })
  await git(server.bare, 'config', 'receive.advertisePushOptions', 'false')
  const plain = await write(server, [linkOf('a')])
  deepEqual([plain.outcome, plain.branch, plain.parent], ['pushed', 'nb-links', first])
  match(plain.warnings.join(), /make one of nb-links by hand/)
  await git(server.bare, 'config', 'receive.advertisePushOptions', 'true')
  await writeFile(
    join(server.bare, 'hooks', 'pre-receive'),
    '#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION_[0-9] | sort > told\n',
    { mode: 0o755 },
  )
  const asked = await write(server, [linkOf('a'), linkOf('b')])
  deepEqual([asked.outcome, asked.branch, asked.warnings], ['pushed', 'nb-links', []])
  equal((await git(server.bare, 'rev-parse', 'main')).trim(), first)
  deepEqual((await readFile(join(server.bare, 'told'), 'utf8')).trim().split('\n'), [
    'GIT_PUSH_OPTION_0=ci.skip',
    'GIT_PUSH_OPTION_1=merge_request.create',
    'GIT_PUSH_OPTION_2=merge_request.target=main',
    'GIT_PUSH_OPTION_3=merge_request.title=Update notebook links',
  ])
})

test('what notebooks.yaml says of the links is kept to, or refused', async () => {
  await using world = new AsyncDisposableStack()
  const server = await gitWorld(world)
  for (const [urlmd, code] of [
    ['{ branch: production }', 'LINKS_BRANCH_REFUSED'],
    ['{ enabeld: true }', 'LINKS_SETTINGS_WRONG'],
  ] as const) {
    await server.commit({ 'notebooks.yaml': `urlmd: ${urlmd}\n` })
    await rejects(write(server, [linkOf('a')]), { code, retry: 'never' })
  }
  const tip = await server.commit({ 'notebooks.yaml': 'urlmd: { enabled: false }\n' })
  const off = await write(server, [linkOf('a')])
  deepEqual([off.outcome, off.commit, off.parent], ['disabled', tip, null])
  ok(!server.hands.programs().includes('push'))
})

test('R10 a notebook becomes a page in a process of its own, a large one part by part', async () => {
  await using world = new AsyncDisposableStack()
  const server = await gitWorld(world)
  await writeFile(join(server.folder, 'a.png'), PNG)
  const id = (await git(server.bare, 'hash-object', '-w', join(server.folder, 'a.png'))).trim()
  const png = { mode: '100644', id }
  const picture = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(1_200_000)]).toString(
    'base64',
  )
  const large = [{ cell_type: 'code', source: '', outputs: [{ data: { 'image/png': picture } }] }]
  const commit = await server.commit({
    'a.ipynb': JSON.stringify({ cells: [{ cell_type: 'markdown', source: '# A <script>1</script>' }] }),
    'large.ipynb': JSON.stringify({ cells: large }),
    thumbnails: { folder: { 'a.png': png } },
    b: { folder: { 'nb.yaml': 'preview: { thumbnail: my.gif }\n', 'my.gif': png } },
    c: { folder: { 'thumbnail.png': '<svg onload="alert(1)">' } },
    'broken.ipynb': '{\n"cells": [\n<<<<<<< HEAD\n',
  })
  await repositoryCheckout.run(server.hands, { ...server.data, commit, texts: [] })
  const paths = ['a.ipynb', 'large.ipynb', 'broken.ipynb']
  const { ids } = await repositoryTrees.run(server.hands, { repository: 'app', commit, paths })
  const page = async (path: string) => {
    let content = ''
    let parts = 0
    for (let rest: string | null = ''; rest !== null; parts++) {
      const more: { rest?: string; from?: number } = rest === '' ? {} : { rest, from: content.length }
      const data: Parameters<typeof notebookPreview.run>[1] = {
        repository: 'app',
        blob: ids[path] ?? '',
        ...more,
      }
      const answer: { part: string; rest: string | null } = check(
        notebookPreview.result,
        await notebookPreview.run(server.hands, data),
        'result',
      )
      content += answer.part
      rest = answer.rest
    }
    const text = gunzipSync(Buffer.from(content, 'base64')).toString()
    return { parts, ...(JSON.parse(text) as { html: string; title?: string; problem?: string }) }
  }
  const small = await page('a.ipynb')
  deepEqual([small.parts, small.title], [1, 'A 1'])
  equal(small.html, '<section class="markdown"><h1>A </h1>\n</section>')
  const big = await page('large.ipynb')
  ok(big.parts > 1 && big.html.includes(picture))
  const pictureOf = async (folder: string, entry?: string) => {
    const data = { repository: 'app', commit, folder, ...(entry === undefined ? {} : { entry }) }
    return (await notebookPicture.run(server.hands, check(notebookPicture.data, data, 'data'))).picture
  }
  deepEqual(await pictureOf('.', 'a.ipynb'), { type: 'image/png', base64: PNG.toString('base64') })
  deepEqual((await pictureOf('b', 'x.ipynb'))?.base64, PNG.toString('base64'))
  equal(await pictureOf('c'), null)
  match((await page('broken.ipynb')).problem ?? '', /line 3, column 1/)
})

test('N03 a notebook of 200 MB that is no JSON is refused by its size, and its script is nowhere', async () => {
  await using world = new AsyncDisposableStack()
  const server = await gitWorld(world)
  const start = '{"cells": [{"outputs": [{"data": {"text/html": "<script>alert(1)</script>"'
  const commit = await server.commit({ 'small.ipynb': start })
  await repositoryCheckout.run(server.hands, { ...server.data, commit, texts: [] })
  const { mirror } = foldersOf(server.hands.host.workspace, 'app')
  const file = join(server.folder, 'huge.ipynb')
  await writeFile(file, start)
  await truncate(file, 200 * 1024 * 1024)
  // Among the files that were fetched, without the time that sending it takes.
  const huge = (await git(mirror, '-c', 'core.compression=1', 'hash-object', '-w', file)).trim()
  const pageOf = (blob: string) => notebookPreview.run(server.hands, { repository: 'app', blob })
  await rejects(pageOf(huge), { code: 'PREVIEW_IMPOSSIBLE', message: /larger than 16 MiB/ })
  const { ids } = await repositoryTrees.run(server.hands, {
    ...{ repository: 'app', commit, paths: ['small.ipynb'] },
  })
  const { part } = await pageOf(ids['small.ipynb'] ?? '')
  const text = gunzipSync(Buffer.from(part, 'base64')).toString()
  match(text, /it is no JSON/)
  doesNotMatch(text, /script/)
})
