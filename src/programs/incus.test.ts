import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '#lib/secret.ts'
import { bringBackup } from './incus-backups.ts'
import { putFile, putFolder } from './incus-instances.ts'

const SOCKET = '/run/any.socket'

test('R72 what only headers say is said to Incus and to LXD, which reads no others than its own', () => {
  const { headers: file } = putFile(SOCKET, 'ada', { path: '/root/key', text: 'x', mode: '0600' })
  const { headers: folder } = putFolder(SOCKET, 'ada', { path: '/root/.ssh', mode: '0700' })
  const bringing = { name: 'ada', pool: 'default', file: '/x', sha256: '', timeoutMs: 1 }
  const { headers: backup } = bringBackup(SOCKET, { ...bringing, identity: new Secret('x') })
  for (const daemon of ['incus', 'lxd']) {
    const said = (headers: Readonly<Record<string, unknown>> | undefined, ...names: string[]) =>
      names.map(name => headers?.[`x-${daemon}-${name}`])
    const owned = ['type', 'uid', 'gid', 'mode', 'write']
    assert.deepEqual(said(file, ...owned), ['file', '0', '0', '0600', 'overwrite'])
    assert.deepEqual(said(folder, ...owned), ['directory', '0', '0', '0700', undefined])
    assert.deepEqual(said(backup, 'name', 'pool'), ['ada', 'default'])
  }
})
