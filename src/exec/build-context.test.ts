import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { extract } from 'tar-stream'
import { tarOf } from './build-context.ts'

const root = mkdtempSync(join(tmpdir(), 'fairlead-build-context-test-'))
after(() => rmSync(root, { recursive: true }))

test('a context is sent in order, with fixed times and owners and only the execute bit of the modes', async () => {
  const context = aContext({ 'b.txt': 'b', 'a/z.sh': '#!', 'a/y': '', Dockerfile: 'FROM scratch' })
  chmodSync(join(context, 'a/z.sh'), 0o4710)
  chmodSync(join(context, 'b.txt'), 0o600)
  const entries = await entriesOf(context)
  assert.deepEqual(
    entries.map(({ name, mode, content }) => [name, mode.toString(8), content]),
    [
      ['Dockerfile', '644', 'FROM scratch'],
      ['a', '755', ''],
      ['a/y', '644', ''],
      ['a/z.sh', '755', '#!'],
      ['b.txt', '644', 'b'],
    ],
  )
  assert.ok(entries.every(({ mtime, uid, gid }) => mtime === 0 && uid === 0 && gid === 0))
})

test('the same content is the same bytes, whenever it was written', async () => {
  const files = { Dockerfile: 'FROM scratch', 'a/b': 'c', ['ü/long/name'.repeat(12)]: 'x' }
  const [first, second] = [aContext(files), aContext(files)]
  utimesSync(join(second, 'a/b'), 1, 1)
  assert.equal(await hashOf(first), await hashOf(second))
})

test('.git is left out at every depth, also when .dockerignore wants it', async () => {
  const context = aContext({
    Dockerfile: '',
    '.git/config': 'x',
    'sub/.git': 'gitdir: x',
    '.dockerignore': '!.git',
  })
  assert.deepEqual(await namesOf(context), ['.dockerignore', 'Dockerfile', 'sub'])
})

test('.dockerignore leaves out files and folders; the Dockerfile is sent all the same', async () => {
  const context = aContext({
    '.dockerignore': '*\n!src\nsrc/*.log\n!docs/keep/**',
    'docker/Dockerfile': '',
    'docker/other': '',
    'src/a.ts': '',
    'src/a.log': '',
    'docs/keep/a': '',
    'docs/drop/a': '',
    secret: '',
  })
  assert.deepEqual(await namesOf(context, 'docker/Dockerfile'), [
    'docker',
    'docker/Dockerfile',
    'docs',
    'docs/keep',
    'docs/keep/a',
    'src',
    'src/a.ts',
  ])
})

test('a .dockerignore beside the Dockerfile with its name comes first', async () => {
  const context = aContext({
    '.dockerignore': 'a',
    'api.Dockerfile.dockerignore': 'b',
    'api.Dockerfile': '',
    a: '',
    b: '',
  })
  assert.deepEqual(await namesOf(context, 'api.Dockerfile'), [
    '.dockerignore',
    'a',
    'api.Dockerfile',
    'api.Dockerfile.dockerignore',
  ])
})

test('symbolic links are sent as links and never followed; sockets are left out', async () => {
  const context = aContext({ Dockerfile: '' })
  symlinkSync('/etc', join(context, 'etc'))
  symlinkSync('../../../etc/passwd', join(context, 'passwd'))
  const server = createServer().listen(join(context, 'a.sock'))
  const entries = await entriesOf(context)
  server.close()
  assert.deepEqual(
    entries.map(({ name, type, linkname }) => [name, type, linkname]),
    [
      ['Dockerfile', 'file', null],
      ['etc', 'symlink', '/etc'],
      ['passwd', 'symlink', '../../../etc/passwd'],
    ],
  )
})

test('large files, long names and names in any language arrive whole', async () => {
  const long = `${'folder/'.repeat(30)}${'n'.repeat(120)}`
  const big = 'x'.repeat(3_000_000)
  const entries = await entriesOf(aContext({ Dockerfile: '', [long]: 'long', 'ünï 🦊': 'fox', big }))
  const content = Object.fromEntries(entries.map(entry => [entry.name, entry.content]))
  assert.equal(content[long], 'long')
  assert.equal(content['ünï 🦊'], 'fox')
  assert.equal(content.big, big)
})

for (const dockerfile of [
  'No',
  'sub',
  '../Dockerfile',
  '/etc/passwd',
  'link/Dockerfile',
  'sub/../../x/Dockerfile',
]) {
  test(`a Dockerfile at ${dockerfile} is missing`, async () => {
    const context = aContext({ Dockerfile: '', 'sub/a': '' })
    symlinkSync(dirname(aContext({ Dockerfile: '' })), join(context, 'link'))
    await assert.rejects(tarOf({ context, dockerfile }), { code: 'DOCKERFILE_MISSING' })
  })
}

test('a missing context is a missing folder', async () => {
  await assert.rejects(tarOf({ context: join(root, 'no'), dockerfile: 'Dockerfile' }), {
    code: 'FOLDER_MISSING',
  })
})

test('a reader that stops early leaves no open file', async () => {
  const context = aContext({ Dockerfile: '', a: 'x'.repeat(2_000_000), b: 'x'.repeat(2_000_000) })
  const tar = await tarOf({ context, dockerfile: 'Dockerfile' })
  for await (const _chunk of tar) {
    break
  }
  const open = () =>
    readdirSync('/proc/self/fd').filter(fd => linkOf(`/proc/self/fd/${fd}`).startsWith(context))
  for (let turns = 0; open().length > 0; turns++) {
    assert.ok(turns < 100, open().join())
    await nextTurn()
  }
})

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

interface Sent {
  readonly name: string
  readonly type: string
  readonly mode: number
  readonly mtime: number
  readonly uid: number
  readonly gid: number
  readonly linkname: string | null
  readonly content: string
}

async function entriesOf(context: string, dockerfile = 'Dockerfile'): Promise<Sent[]> {
  const reader = extract()
  reader.end(await buffer(await tarOf({ context, dockerfile })))
  const entries: Sent[] = []
  for await (const entry of reader) {
    const { name, type, mode, mtime, uid, gid, linkname } = entry.header
    const chunks: Uint8Array[] = []
    for await (const chunk of entry) {
      chunks.push(chunk as Uint8Array)
    }
    const content = Buffer.concat(chunks).toString()
    entries.push({
      name: name.replace(/\/$/, ''),
      type,
      mode,
      mtime: mtime.getTime(),
      uid,
      gid,
      linkname,
      content,
    })
  }
  return entries
}

async function namesOf(context: string, dockerfile?: string): Promise<string[]> {
  return (await entriesOf(context, dockerfile)).map(entry => entry.name)
}

async function hashOf(context: string): Promise<string> {
  const tar = await buffer(await tarOf({ context, dockerfile: 'Dockerfile' }))
  return createHash('sha256').update(tar).digest('hex')
}

function aContext(files: Readonly<Record<string, string>>): string {
  const context = mkdtempSync(join(root, 'context-'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(context, name)), { recursive: true })
    writeFileSync(join(context, name), content)
  }
  return context
}
