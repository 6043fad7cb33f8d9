import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '#link/test-identities.ts'
import { readBounds } from './bounds-file.ts'
import { isMeant } from './default-interfaces.ts'
import { BOUNDS_INVALID } from './errors.ts'

function aFile(t: TestContext, text: string): string {
  const file = join(temporaryFolder(t), 'guardian.yaml')
  writeFileSync(file, text, { mode: 0o644 })
  return file
}

test('F01 without a file SSH and the guardian itself stay open, and only unprivileged ports may be opened', () => {
  const bounds = readBounds('/nowhere/guardian.yaml', 7555)
  const kept = bounds.keep.filter(({ protocol }) => protocol === 'tcp').map(({ first }) => first)
  assert.deepEqual(kept, [22, 7555, 80, 443, 7443])
  assert.deepEqual(bounds.ports, [{ first: 1024, last: 65_535 }])
  assert.equal(bounds.sources, undefined)
})

test('F01 whatever the file keeps open, SSH and the guardian itself are among it', t => {
  const { keep, sources, never } = readBounds(
    aFile(t, 'ssh: [2222]\nkeep: ["udp 51820", 8000-8010]\nnever: [9000]\nsources: [10.0.0.0/8]\n'),
    7444,
  )
  assert.deepEqual(
    keep.map(({ protocol, first, last }) => `${protocol} ${first}-${last}`),
    ['tcp 2222-2222', 'tcp 7444-7444', 'udp 51820-51820', 'tcp 8000-8010', 'udp 8000-8010'],
  )
  assert.deepEqual(sources, ['10.0.0.0/8'])
  assert.deepEqual(never, [{ first: 9000, last: 9000 }])
})

for (const [what, text] of [
  ['an unknown key', 'portz: [1]\n'],
  ['a port that is none', 'ports: [70000]\n'],
  ['a range that ends too late', 'ports: [1-99999]\n'],
  ['a range that ends before it begins', 'keep: [90-80]\n'],
  ['a text that is no port', 'never: ["80;drop"]\n'],
  ['a source that is no network', 'sources: [everybody]\n'],
  ['an interface that nft would read otherwise', 'inner: ["eth0; accept"]\n'],
  ['an interface for everything', 'inner: ["*"]\n'],
  ['what is no YAML', 'ports: [\n'],
] as const) {
  test(`F01 ${what} in the bounds file keeps the guardian from starting`, t => {
    assert.throws(
      () => readBounds(aFile(t, text), 7444),
      error => BOUNDS_INVALID.matches(error),
    )
  })
}

test('F01 a bounds file that others than its owner may write counts for nothing', t => {
  const file = aFile(t, '')
  chmodSync(file, 0o666)
  assert.throws(() => readBounds(file, 7444), /others than root may write it/)
})

test('an interface is meant by its name, or by how it begins', () => {
  assert.ok(isMeant('docker0', 'docker*'))
  assert.ok(isMeant('eth0', 'eth0'))
  assert.ok(!isMeant('eth0.5', 'eth0'))
})
