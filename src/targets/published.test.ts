import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openingsOf } from './published.ts'

test('a port is opened for everybody, for some, or not at all', () => {
  const tcp = { protocol: 'tcp' }
  assert.deepEqual(
    openingsOf([{ port: 1 }, { port: 2, open: true }, { port: 3, from: ['@ci', '10.0.0.0/8'] }]),
    [
      { ...tcp, first: 2, last: 2, sources: [] },
      { ...tcp, first: 3, last: 3, sources: ['@ci', '10.0.0.0/8'] },
    ],
  )
  assert.deepEqual(openingsOf([{ port: 4, from: ['@ci'], open: false }]), [])
})

test('a port that listens on loopback only is not opened: what answers outside is somebody else', () => {
  const port = { port: 5432, address: '127.0.0.2' }
  assert.deepEqual(openingsOf([port]), [])
  for (const asked of [{ open: true }, { from: ['10.0.0.0/8'] }]) {
    assert.throws(() => openingsOf([{ ...port, ...asked }]), { code: 'APP_SETTING_WRONG' })
  }
  assert.equal(openingsOf([{ ...port, address: '192.0.2.1', open: true }]).length, 1)
})

for (const source of ['@Own!', '@', 'all', '10.0.0.1/8', '']) {
  test(`"${source}" is nobody for whom a port could be opened`, () => {
    assert.throws(() => openingsOf([{ port: 1, from: [source] }]), { code: 'APP_SETTING_WRONG' })
  })
}
