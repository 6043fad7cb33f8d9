import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { Call } from '#exec/call.ts'
import { createRecorder } from '#exec/recorder.ts'
import type { ContextEntry } from '#programs/git-context.ts'
import type { Hands } from './command.ts'
import { contextIdOf, ignoreFilesOf, keptId } from './image-context.ts'

const IMAGE = { context: 'api', dockerfile: 'api/Dockerfile' }
const TREE = 'a'.repeat(40)

const ENTRIES = [
  entry('.dockerignore'),
  entry('Dockerfile'),
  entry('README.md'),
  entry('docs/a.md'),
  entry('src/main.js'),
]
const WISH = { text: '*.md\n.dockerignore\n', dockerfile: 'Dockerfile' }

test('a change of what .dockerignore leaves out is none, any other is one', () => {
  const id = keptId(ENTRIES, WISH)
  assert.match(id ?? '', /^[0-9a-f]{64}$/)
  assert.equal(keptId(changed('README.md', { id: 'other' }), WISH), id)
  assert.equal(keptId(changed('.dockerignore', { id: 'other' }), WISH), id)
  assert.equal(keptId([...ENTRIES, entry('CHANGES.md')], WISH), id)
  const others = [
    keptId(changed('docs/a.md', { id: 'other' }), WISH),
    keptId(changed('src/main.js', { mode: '100755' }), WISH),
    keptId(changed('src/main.js', { path: 'src/other.js' }), WISH),
    keptId(changed('Dockerfile', { id: 'other' }), { ...WISH, text: `${WISH.text}Dockerfile\n` }),
    keptId(ENTRIES, { ...WISH, text: '.dockerignore\n' }),
  ]
  assert.equal(new Set([id, ...others]).size, 6)
})

test('a folder of which nothing is sent counts, because it is sent itself', () => {
  const wish = { ...WISH, text: 'docs/*\n' }
  const without = ENTRIES.filter(({ path }) => path !== 'docs/a.md')
  assert.notEqual(keptId(ENTRIES, wish), keptId(without, wish))
  assert.equal(keptId(ENTRIES, wish), keptId(changed('docs/a.md', { id: 'other' }), wish))
})

test('without a .dockerignore, and with one that makes no sense, it is the tree, and nothing is asked', async () => {
  const { hands, recorder } = handsWith('')
  assert.equal(await contextIdOf(hands, { mirror: '/m', ids: { api: TREE }, image: IMAGE }), TREE)
  assert.deepEqual(recorder.shown, [])
  assert.equal(keptId(ENTRIES, { ...WISH, text: '[' }), undefined)
})

test('the .dockerignore of the Dockerfile counts before that of the context, and one that is a link does not', async () => {
  assert.deepEqual(ignoreFilesOf(IMAGE), ['api/Dockerfile.dockerignore', 'api/.dockerignore'])
  assert.deepEqual(ignoreFilesOf({ context: '.', dockerfile: 'Dockerfile' }), [
    'Dockerfile.dockerignore',
    '.dockerignore',
  ])
  const own = entry('Dockerfile.dockerignore')
  const ids = { api: TREE, 'api/.dockerignore': 'x', 'api/Dockerfile.dockerignore': 'x' }
  for (const [mode, counts] of [
    ['100644', own.path],
    ['120000', '.dockerignore'],
  ] as const) {
    const { hands, recorder } = handsWith('*.md\n', [{ ...own, mode }, ...ENTRIES])
    const id = await contextIdOf(hands, { mirror: '/m', ids, image: IMAGE })
    assert.match(id, /^[0-9a-f]{64}$/)
    const asked = recorder.calls.map(call => (call.kind === 'program' ? String(call.input ?? '') : ''))
    assert.ok(asked.includes(`${idOf(counts)}\n`), counts)
  }
})

function handsWith(text: string, entries: readonly ContextEntry[] = ENTRIES) {
  const listed = entries.map(({ mode, id, path }) => `${mode} blob ${id}\t${path}\0`).join('')
  const recorder = createRecorder([
    [call => call.kind === 'program' && call.args.includes('ls-tree'), { stdout: listed }],
    [() => true, call => ({ stdout: blobOf(call, text) })],
  ])
  return { recorder, hands: { perform: recorder.perform } as Hands }
}

/** As git prints the one file that is asked for. */
function blobOf(call: Call<unknown>, text: string): string {
  const id = call.kind === 'program' ? String(call.input ?? '').trim() : ''
  return `${createHash('sha256').update(id).digest('hex')} ${id} blob\n${text}\n`
}

function entry(path: string): ContextEntry {
  return { mode: '100644', id: idOf(path), path }
}

function idOf(path: string): string {
  return Buffer.from(path).toString('hex').padEnd(40, '0').slice(0, 40)
}

function changed(path: string, change: Partial<ContextEntry>): ContextEntry[] {
  return ENTRIES.map(each => (each.path === path ? { ...each, ...change } : each))
}
