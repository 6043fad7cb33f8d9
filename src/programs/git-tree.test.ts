import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProgramCall } from '#exec/call.ts'
import {
  MIRROR_DAMAGED,
  OBJECT_NOT_FOUND,
  REPOSITORY_PATH_REFUSED,
  REPOSITORY_TOO_LARGE,
} from './git-errors.ts'
import { commitFacts, listTree, readBlobs, treesOf } from './git-tree.ts'

const MIRROR = '/w/mirror.git'
const A = 'a'.repeat(40)
const B = 'b'.repeat(40)
const LIMITS = { files: 100, bytes: 1000 }

test('G11 a listing tells files, links and submodules apart, whatever their names hold', () => {
  const lines = [
    `100644 blob ${A}      12\tcompose.yaml`,
    `100755 blob ${A} 1\ta b\t\n"c`,
    `120000 blob ${B}      11\tlink`,
    `160000 commit ${B}       -\tsub`,
  ]
  assert.deepEqual(read(listTree(MIRROR, A, LIMITS), `${lines.join('\0')}\0`), [
    { kind: 'file', id: A, path: 'compose.yaml', bytes: 12 },
    { kind: 'file', id: A, path: 'a b\t\n"c', bytes: 1 },
    { kind: 'link', id: B, path: 'link', bytes: 11 },
    { kind: 'submodule', id: B, path: 'sub', bytes: 0 },
  ])
  assert.deepEqual(read(listTree(MIRROR, A, LIMITS), ''), [])
})

for (const [what, path, bytes] of [
  ['bytes', 'x', 1001],
  ['depth', Array(65).fill('d').join('/'), 1],
  ['name', 'n'.repeat(256), 1],
  ['path', Array(5).fill('n'.repeat(250)).join('/'), 1],
] as const) {
  test(`G19 a tree beyond the limit of ${what} is refused`, () => {
    const call = listTree(MIRROR, A, LIMITS)
    assert.throws(() => read(call, `100644 blob ${A} ${bytes}\t${path}\0`), REPOSITORY_TOO_LARGE.matches)
  })
}

test('G27 facts of a commit are inert, short, and their date is possible', () => {
  const subject = `\u001b[31mred\u001b[0m \u202e</script>${'x'.repeat(300)}`
  const facts = read(
    commitFacts(MIRROR, A),
    [A, B, '99999999999999', 'Ada\u0007   ', `${subject}\n`].join('\0'),
  )
  assert.equal(facts.author, 'Ada')
  assert.ok(facts.subject.startsWith('red </script>xxx') && facts.subject.endsWith('…'))
  assert.equal([...facts.subject].length, 200)
  assert.ok(!Number.isNaN(new Date(facts.date).getTime()))
})

test('several blobs are told apart without counting bytes', () => {
  const call = readBlobs(MIRROR, [A, B], 100)
  const mark = String(call.args.at(-1)).slice('--batch='.length, '--batch='.length + 64)
  const first = '\ufffd not UTF-8\n\n'
  const texts = read(call, `${mark} ${A} blob\n${first}\n${mark} ${B} blob\n\n`)
  assert.deepEqual(
    [...texts],
    [
      [A, first],
      [B, ''],
    ],
  )
  assert.equal(call.input, `${A}\n${B}\n`)
  assert.throws(() => read(call, `${mark} ${A} blob\nx\n${B} missing\n`), MIRROR_DAMAGED.matches)
})

test('G12 ids of paths are asked by full path, one per line', () => {
  const call = treesOf(MIRROR, A, ['.', 'a b', 'none'])
  assert.equal(call.input, `${A}:\n${A}:\n${A}:a b\n${A}:none\n`)
  const answer = `${B} tree\n${B} tree\n${A} blob\n${A}:none missing\n`
  assert.deepEqual(read(call, answer), { '.': B, 'a b': A, none: null })
  assert.throws(() => read(call, `${A}: missing\n`), OBJECT_NOT_FOUND.matches)
  assert.throws(() => treesOf(MIRROR, A, ['a\nb']), REPOSITORY_PATH_REFUSED.matches)
  assert.throws(() => treesOf(MIRROR, A, ['../x']), REPOSITORY_PATH_REFUSED.matches)
})

function read<T>(call: ProgramCall<T>, stdout: string): T {
  return call.read({ exitCode: 0, stdout, stderr: '' })
}
