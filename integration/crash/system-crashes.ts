import assert from 'node:assert/strict'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import type { BackupDocument } from '#contract/rest/system-backups.ts'
import type { Desk } from '#world/desk.ts'
import { IMAGE, type IncusHost, namesOn } from '#world/incus.ts'
import { logIn } from '#world/log-in.ts'
import { awaited } from '#world/outcome.ts'
import { type CrashWorld, untilStopped } from './crash-world.ts'
import { crashWhile, type LoneCrash } from './lone-crash.ts'

const MIB = 1_048_576
const INSTANCES = 'incus /1.0/instances'

interface Scene {
  readonly incus: IncusHost
  readonly world: CrashWorld
  readonly desk: Desk
  /** Of a system that is there and runs, and of another one that is made and deleted. */
  readonly names: readonly [string, string]
  /** File of the key that opens both. */
  readonly key: string
}

/** Ends the worker, the manager, or with them the whole host, in the middle of each change of a system. */
export async function endInTheMiddle({ incus, world, desk, names, key }: Scene): Promise<void> {
  const { send, shown, must, until, place, inside, ended } = desk
  const [name, second] = names
  const [first, path] = [`/systems/${name}`, `/systems/${second}`]

  async function reboot(): Promise<void> {
    const before = await firstProcess(incus, name)
    await incus.cutPower()
    await incus.start()
    await world.crash('both')
    // What ran runs again, without anybody's asking for it.
    await until(async () => (await logIn(await place(), key, 'true').catch(() => undefined))?.code === 0)
    assert.notEqual(await firstProcess(incus, name), before)
  }

  async function crash(at: LoneCrash, asked: () => Promise<{ id: string }>, outcome = 'deployed') {
    const around = at.victim === 'both' ? { ...world, crash: reboot } : world
    const { end, missed } = await crashWhile(around, at, asked)
    assert.deepEqual([missed, end?.error?.message, end?.outcome], [[], undefined, outcome], at.failpoint)
  }

  const small = { memory_bytes: 64 * MIB, disk_bytes: 64 * MIB, cpus: 0.5 }
  await crash({ failpoint: call('create', `POST ${INSTANCES}`), victim: 'both' }, () =>
    send('POST', '/systems', { name: second, image: IMAGE, ...small }),
  )
  assert.equal(await inside('hostname', path), `${second}\n`)
  await crash({ failpoint: call('resize', `PUT ${INSTANCES}/*`), victim: 'worker' }, () =>
    send('PATCH', path, { memory_bytes: 96 * MIB }),
  )
  await crash({ failpoint: call('rename', `POST ${INSTANCES}/*`), victim: 'worker' }, () =>
    send('PATCH', path, { name: `${second}-b` }),
  )
  await must(send('PATCH', `${path}-b`, { name: second }))
  await inside('echo one > /root/one; sync', path)
  await crash({ failpoint: call('snapshot', `POST ${INSTANCES}/*/snapshots`), victim: 'both' }, () =>
    send('POST', `${path}/snapshots`, { name: 'kept' }),
  )
  await inside('echo two > /root/one; sync', path)
  for (const at of [
    { failpoint: 'manager apply system.restore after-effect', victim: 'manager' },
    { failpoint: call('restore', `PUT ${INSTANCES}/${second}`), victim: 'both' },
  ] as const) {
    await crash(at, () => send('POST', `${path}/restore`, { snapshot: 'kept' }))
    assert.equal(await inside('cat /root/one; echo two > /root/one; sync', path), 'one\n')
  }
  assert.deepEqual((await shown(path)).snapshots, ['kept'])
  assert.deepEqual(await snapshotsOn(incus, second), ['kept'])
  await world.arm(call('backup', `POST ${INSTANCES}/*/backups`))
  const { id } = await send<BackupDocument>('POST', `${first}/backups`, {})
  assert.ok(await untilStopped([world.worker], () => false))
  await world.disarm()
  await reboot()
  const backup = await ended(id)
  assert.deepEqual([backup.state, backup.reason], ['kept', null])
  assert.deepEqual(await incus.ask('GET', `/1.0/instances/${name}/backups`), [])
  await crash(
    { failpoint: call('delete', `DELETE ${INSTANCES}/*`), victim: 'both' },
    () => send('DELETE', `${path}?confirm=${second}`),
    'removed',
  )
  assert.deepEqual(await namesOn(incus), [name])
  await crash({ failpoint: call('create', `POST ${INSTANCES}/Restoring-*`), victim: 'worker' }, () =>
    send('POST', '/systems', { name: second, backup: id }),
  )
  assert.deepEqual(await namesOn(incus), [name, second].sort())
  await must(send('DELETE', `${path}?confirm=${second}`), 'removed')
}

/** Cancels a snapshot and a restore that the daemon has begun with. */
export async function cancelOnTheWay({ incus, world, desk, names: [name] }: Scene): Promise<void> {
  const { send, get, must, inside } = desk
  const path = `/systems/${name}`

  async function cancelledAt(failpoint: string, asked: () => Promise<{ id: string }>): Promise<void> {
    await world.arm(failpoint)
    const { id } = await asked()
    assert.ok(await untilStopped([world.worker], () => false))
    await world.disarm()
    await send('POST', `/deployments/${id}/cancel`, {})
    // Nobody is killed: the worker goes on, and hears of it.
    await world.crash('engine')
    const over = await awaited(async () => {
      const now = await get<DeploymentDetail>(`/deployments/${id}`)
      return now.finished_at === null ? undefined : now
    })
    assert.equal(over.state, 'cancelled', failpoint)
  }

  const take = call('snapshot', `POST ${INSTANCES}/*/snapshots`)
  await cancelledAt(take, () => send('POST', `${path}/snapshots`, { name: 'unwanted' }))
  assert.deepEqual(await snapshotsOn(incus, name), [])
  await inside('echo one > /root/one; sync')
  await must(send('POST', `${path}/snapshots`, { name: 'kept' }))
  await inside('echo two > /root/one; sync')
  await cancelledAt(call('restore', `PUT ${INSTANCES}/${name}`), () =>
    send('POST', `${path}/restore`, { snapshot: 'kept' }),
  )
  // What Incus has begun is finished, and once.
  assert.equal(await inside('cat /root/one; echo three > /root/one; sync'), 'one\n')
  await must(send('DELETE', `${path}/snapshots/kept`))
  assert.equal(await inside('cat /root/one'), 'three\n')
  assert.deepEqual(await snapshotsOn(incus, name), [])
}

/** The place where the worker has had an answer of the daemon and done nothing with it. */
function call(what: string, request: string): string {
  return `worker system.${what} after-call ${request}`
}

async function firstProcess({ ask }: IncusHost, name: string): Promise<number> {
  return (await ask<{ pid: number }>('GET', `/1.0/instances/${name}/state`)).pid
}

async function snapshotsOn({ ask }: IncusHost, name: string): Promise<string[]> {
  const paths = await ask<string[]>('GET', `/1.0/instances/${name}/snapshots`)
  return paths.map(path => path.slice(path.lastIndexOf('/') + 1))
}
