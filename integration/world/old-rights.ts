import assert from 'node:assert/strict'
import type { Desk } from './desk.ts'
import type { IncusHost } from './incus.ts'

interface Scene {
  readonly incus: IncusHost
  readonly desk: Desk
  readonly name: string
  readonly image: string
}

/**
 * A snapshot has the configuration of its day: of one that was privileged then, and had a port that is another one's
 * now, only the disk comes back.
 */
export async function restoreOldRights({ incus, desk, name, image }: Scene): Promise<void> {
  const { ask } = incus
  const { send, shown, must, inside } = desk
  const path = `/systems/${name}`
  const rootOutside = async () => Number((await inside('cat /proc/self/uid_map')).trim().split(/\s+/)[1])

  await must(send('PATCH', path, { ports: [{ container: 8081 }] }))
  const port = (await shown()).ports.find(({ container }) => container === 8081)?.host
  const rights = { 'security.privileged': 'yes', 'security.idmap.isolated': '' }
  await ask('PATCH', `/1.0/instances/${name}`, { config: rights })
  await inside('echo old > /root/rights; sync')
  await ask('POST', `/1.0/instances/${name}/snapshots`, { name: 'privileged' })
  await inside('echo new > /root/rights; sync')
  await must(send('PATCH', path, { ports: [] }))

  const root = { type: 'disk', path: '/', pool: incus.pool }
  const taken = { type: 'proxy', listen: `tcp:${incus.ip}:${port}`, connect: 'tcp:127.0.0.1:1' }
  const other = { name: 'other', type: 'container', profiles: [], source: { type: 'image', alias: image } }
  await ask('POST', '/1.0/instances', { ...other, devices: { root, taken } })
  await ask('PUT', '/1.0/instances/other/state', { action: 'start', timeout: 30 })

  await must(send('POST', `${path}/restore`, { snapshot: 'privileged' }))
  assert.equal(await inside('cat /root/rights'), 'old\n')
  assert.ok((await rootOutside()) > 0)
  assert.equal((await shown()).ports.length, 1)

  await ask('PUT', '/1.0/instances/other/state', { action: 'stop', force: true, timeout: 30 })
  await ask('DELETE', '/1.0/instances/other')
  await ask('DELETE', `/1.0/instances/${name}/snapshots/privileged`)
}
