import assert from 'node:assert/strict'
import type { BackupDocument } from '#contract/rest/system-backups.ts'
import type { Desk } from './desk.ts'
import { type IncusHost, settingsOf } from './incus.ts'

/** Makes a pool that is a plain folder; gives the settings of a worker that uses it. */
export async function plainPoolOf(incus: IncusHost): Promise<Record<string, string>> {
  const pool = `${incus.pool}d`
  await incus.ask('POST', '/1.0/storage-pools', { name: pool, driver: 'dir' })
  return {
    ...settingsOf(incus),
    FAIRLEAD_INCUS_POOL: pool,
    FAIRLEAD_SYSTEM_ADDRESS: incus.wire.otherIp,
  }
}

/** A system there is made, kept, brought back, and made once more of its backup, all without a limit of its disk. */
export async function liveInPlainPool(
  { send, must, end, inside, shown, ended }: Desk,
  wanted: { readonly name: string; readonly host: string; readonly image: string },
): Promise<void> {
  const { name, host } = wanted
  const [path, copy] = [`/systems/${name}`, `${name}-c`]
  const limited = await end(send('POST', '/systems', { ...wanted, disk_bytes: 100 * 2 ** 20 }))
  assert.equal(limited.error?.code, 'SYSTEM_POOL_WITHOUT_LIMITS')
  await must(send('DELETE', `${path}?confirm=${name}`), 'removed')
  await must(send('POST', '/systems', { ...wanted, disk_bytes: null }))
  await inside('echo one > /root/file; sync', path)
  await must(send('POST', `${path}/snapshots`, { name: 'before' }))
  await inside('echo two > /root/file; sync', path)
  await must(send('POST', `${path}/restore`, { snapshot: 'before' }))
  assert.equal(await inside('cat /root/file', path), 'one\n')
  const { id } = await send<BackupDocument>('POST', `${path}/backups`, {})
  assert.equal((await ended(id)).state, 'kept')
  await must(send('POST', '/systems', { name: copy, host, backup: id }))
  assert.equal((await shown(`/systems/${copy}`)).disk_bytes, null)
  assert.equal(await inside('cat /root/file', `/systems/${copy}`), 'one\n')
  for (const each of [copy, name]) {
    await must(send('DELETE', `/systems/${each}?confirm=${each}`), 'removed')
  }
}
