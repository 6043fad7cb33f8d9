import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import type { MemberDocument, MemberList } from '#contract/rest/system-members.ts'
import { type CrashWorld, startCrashWorld, untilStopped } from './crash/crash-world.ts'
import { crashWhile } from './crash/lone-crash.ts'
import { deskOf } from './world/desk.ts'
import { IMAGE, namesOn, whyNoIncus } from './world/incus.ts'
import { type IncusCluster, startCluster } from './world/incus-cluster.ts'
import { newKey } from './world/log-in.ts'
import { awaited, refused } from './world/outcome.ts'

/** Two real Incus daemons that make a cluster: where systems are put, how they get from one to the other. */
const stack = new AsyncDisposableStack()
const skip = (await whyNoIncus()) ?? false
const MIB = 1_048_576
const NAME = `kim-${process.pid}`
const PATH = `/systems/${NAME}`
const STAYS = `${NAME}-2`
const SMALL = { image: IMAGE, memory_bytes: 64 * MIB, disk_bytes: 100 * MIB, cpus: 0.5 }
let cluster: IncusCluster
let world: CrashWorld
let key: { file: string; line: string }
let host = ''
let k1 = ''
let k2 = ''
const desk = deskOf({ name: NAME, system: () => world.system, key: () => key.file })
const { send, get, shown, seen, end, must, until, inside, commandWith, auditOf } = desk

before(async () => {
  if (skip !== false) {
    process.stderr.write(`SKIPPED: everything about clusters of system containers: ${skip}\n`)
    return
  }
  cluster = await startCluster(stack)
  ;[k1, k2] = cluster.members
  const { socket, pool, network } = cluster.first
  world = await startCrashWorld(stack, {
    engine: 'shared',
    settings: {
      ...{ FAIRLEAD_INCUS_SOCKET: socket, FAIRLEAD_INCUS_POOL: pool, FAIRLEAD_INCUS_NETWORK: network },
      ...{ FAIRLEAD_SYSTEM_ADDRESS: '0.0.0.0', FAIRLEAD_OBSERVE_SECONDS: '1' },
    },
  })
  key = await newKey(world.system.folder, 'kim')
  await send('POST', '/ssh-keys', { key: key.line })
  await until(async () => (await members()).length === 2)
  host = (await members())[0]?.host ?? ''
})

after(() => stack.disposeAsync())

test("R71 a system is made on the member that is named, and its SSH port is that member's", {
  skip,
}, async () => {
  const nowhere = await end(send('POST', '/systems', { name: NAME, member: 'nowhere', ...SMALL }))
  assert.equal(nowhere.error?.code, 'SYSTEM_MEMBER_UNKNOWN')
  assert.match(nowhere.error?.message ?? '', new RegExp(k2))
  await must(send('DELETE', `${PATH}?confirm=${NAME}`), 'removed')
  await must(send('POST', '/systems', { name: NAME, member: k2, ...SMALL }))
  const { member, ssh, wanted_member } = await seen(each => each.observed.state === 'running')
  assert.deepEqual([member, wanted_member, ssh?.host], [k2, k2, cluster.second.ip])
  assert.equal(await inside('hostname'), `${NAME}\n`)
  // Nobody said where: Incus puts it where the fewest are.
  await must(send('POST', '/systems', { name: STAYS, ...SMALL }))
  const put = async () => (await shown(`/systems/${STAYS}`)).member
  await until(async () => (await put()) === k1)
  const { stdout } = await commandWith(['systems', 'members'], '')
  assert.match(stdout, new RegExp(`${k1} .*online .*${cluster.first.ip} .*${STAYS}\\n`))
  assert.match(stdout, new RegExp(`${k2} .*online .*${cluster.second.ip} .*${NAME}\\n`))
})

test('R71 R73 a system is moved with what is in it and its snapshots, and answers at the other member', {
  skip,
}, async context => {
  await inside('echo kept > /root/mark; sync')
  await must(send('POST', `${PATH}/snapshots`, { name: 'before' }))
  const began = performance.now()
  const moved = await commandWith(['systems', 'move', NAME, '--to', k1], '')
  assert.equal(moved.code, 0, moved.stdout + moved.stderr)
  context.diagnostic(`moved and proved in ${Math.round(performance.now() - began)} ms`)
  await seen(each => each.member === k1 && each.observed.state === 'running' && each.drift.findings === 0)
  assert.equal((await shown()).ssh?.host, cluster.first.ip)
  assert.equal(await inside('cat /root/mark'), 'kept\n')
  assert.deepEqual(await cluster.first.ask('GET', `/1.0/instances/${NAME}/snapshots`), [
    `/1.0/instances/${NAME}/snapshots/before`,
  ])
  assert.deepEqual((await auditOf(`/api/v1${PATH}`)).slice(-2), ['asked', 'done'])
})

test('R71 a move goes on when the worker or the manager is killed in the middle', { skip }, async () => {
  const crash = async (failpoint: string, victim: 'worker' | 'manager', member: string) => {
    const { end: ended, missed } = await crashWhile(world, { failpoint, victim }, () =>
      send('PATCH', PATH, { member }),
    )
    const found = [missed, ended?.error?.message, ended?.outcome]
    assert.deepEqual(found, [[], undefined, 'deployed'], failpoint)
    assert.equal(await locationOf(NAME), member)
    await until(async () => (await shown()).member === member)
    assert.equal(await inside('cat /root/mark'), 'kept\n')
  }
  await crash('worker system.move after-call POST incus /1.0/instances/*', 'worker', k2)
  await crash('manager apply system.move after-effect', 'manager', k1)
})

test('R71 a member is emptied and gets back what it had; meanwhile nothing is put there', {
  skip,
}, async () => {
  await must(send('PATCH', PATH, { member: k2 }))
  await world.arm('worker system.member-state after-call POST incus /1.0/cluster/members/*')
  // Made by somebody on the host: it goes with the others, and comes back with them.
  await cluster.first.ask('POST', `/1.0/instances?target=${k2}`, {
    ...{ name: 'stranger', type: 'container', profiles: [], source: { type: 'image', alias: IMAGE } },
    devices: { root: { type: 'disk', path: '/', pool: cluster.first.pool } },
  })
  await send('POST', `/system-members/${host}/${k2}/evacuate`, {})
  await refused('MEMBER_BUSY', send('POST', `/system-members/${host}/${k1}/evacuate`, {}))
  assert.ok(await untilStopped([world.worker], () => false))
  await world.disarm()
  // The daemon that empties its member ends too, wherever it is with that.
  await cluster.second.kill()
  await cluster.second.start()
  await world.crash('worker')
  assert.equal((await changed(k2)).change?.reason, null)
  assert.deepEqual([await locationOf(NAME), await locationOf('stranger')], [k1, k1])
  // It is shown as elsewhere than it was put, and nothing but a restore brings it back.
  const elsewhere = new RegExp(`${k1} for "member" and not ${k2}`)
  await seen(each => each.member === k1 && elsewhere.test(each.drift.reason ?? ''))
  assert.equal(await inside('cat /root/mark'), 'kept\n')
  await must(send('PATCH', PATH, { memory_bytes: 80 * MIB }))
  assert.equal(await locationOf(NAME), k1)
  const refusal = await end(send('PATCH', `/systems/${STAYS}`, { member: k2 }))
  assert.equal(refusal.error?.code, 'SYSTEM_MEMBER_NOT_READY')
  await send('POST', `/system-members/${host}/${k1}/evacuate`, {})
  assert.match((await changed(k1)).change?.reason ?? '', /No other member/)
  // The daemon that takes them back ends as well: it calls itself restored, and does not go on.
  await world.arm('worker system.member-state after-call POST incus /1.0/cluster/members/*')
  await send('POST', `/system-members/${host}/${k2}/restore`, {})
  assert.ok(await untilStopped([world.worker], () => false))
  await world.disarm()
  await cluster.second.kill()
  await cluster.second.start()
  await world.crash('worker')
  assert.equal((await changed(k2)).change?.reason, null)
  await seen(each => each.member === k2)
  assert.equal(await inside('cat /root/mark'), 'kept\n')
  assert.equal(await locationOf('stranger'), k2)
})

test('R71 a move that is cancelled ends where it began, and what is in it runs there', { skip }, async () => {
  const { id } = await send('PATCH', PATH, { member: k1 })
  // What moves is stopped first.
  await until(async () => (await instance()).status === 'Stopped' || (await instance()).location === k1)
  assert.equal((await cancelled(id)).outcome, 'returned-to-previous')
  const { wanted_member } = await seen(each => each.member === k2 && each.observed.state === 'running')
  assert.deepEqual([await locationOf(NAME), wanted_member], [k2, k2])
  assert.equal(await inside('cat /root/mark'), 'kept\n')
  // It does not come back with the next deployment.
  await must(send('POST', `/apps/${NAME}/deploy`, {}), 'nothing-to-do')
})

test('a system whose making is cancelled leaves no container, and is made when it is asked for again', {
  skip,
}, async () => {
  const { id } = await send('POST', '/systems', { name: 'brief', ...SMALL })
  await until(async () => (await namesOn(cluster.first)).includes('brief'))
  await cancelled(id)
  assert.equal((await namesOn(cluster.first)).includes('brief'), false)
  await must(send('POST', '/apps/brief/deploy', {}))
  await must(send('DELETE', '/systems/brief?confirm=brief'), 'removed')
})

test('R71 an evacuation that hangs is ended, and no other change gets between it and its systems', {
  skip,
}, async () => {
  // Nothing ends in a container whose first process stands still.
  const { pid } = await cluster.first.ask<{ pid: number }>('GET', `/1.0/instances/${NAME}/state`)
  await cluster.first.ask('PATCH', `/1.0/instances/${NAME}`, {
    config: { 'boot.host_shutdown_timeout': '600' },
  })
  process.kill(pid, 'SIGSTOP')
  stack.defer(() => goOn(pid))
  const path = `/system-members/${host}/${k2}`
  await send('POST', `${path}/evacuate`, {})
  await until(async () => (await statusOf(k2)) === 'Evacuated')
  const changing = send('PATCH', PATH, { memory_bytes: 112 * MIB })
  const { id } = await changing
  const cancelled = await commandWith(['systems', 'cancel-member', k2], '')
  assert.equal(cancelled.code, 0, cancelled.stdout + cancelled.stderr)
  assert.match(cancelled.stdout, new RegExp(`evacuate is ended\\. .*Left: ${NAME}\\. Incus lets nobody end`))
  await refused('MEMBER_NOT_CHANGED', send('POST', `${path}/cancel`, {}))
  // One line for the request, one for its answer, one for how it ended.
  assert.deepEqual((await auditOf(`/api/v1${path}/evacuate`)).slice(-3), ['asked', 'done', 'failed'])
  const { config, location } = await instance()
  assert.deepEqual([location, config['limits.memory']], [k2, `${80 * MIB}B`], 'the daemon is still at work')
  goOn(pid)
  await must(Promise.resolve({ id } as Awaited<typeof changing>))
  assert.equal(await locationOf(NAME), k1)
  const restored = await commandWith(['systems', 'restore-member', k2], '')
  assert.equal(restored.code, 0, restored.stdout + restored.stderr)
  await seen(each => each.member === k2 && each.memory_bytes === 112 * MIB)
  assert.equal(await inside('cat /root/mark'), 'kept\n')
})

test('R71 what somebody does with it on the host is shown, and put right by the next deployment', {
  skip,
}, async () => {
  const path = `/1.0/instances/${STAYS}`
  const driftOf = async () => (await shown(`/systems/${STAYS}`)).drift
  const stop = { action: 'stop', force: true, timeout: 30 }
  await until(async () => (await driftOf()).findings === 0)
  for (const [shows, byHand] of [
    [/device:lent/, () => cluster.first.ask('PATCH', path, { devices: { lent: { type: 'none' } } })],
    [/stopped|exited/, () => cluster.first.ask('PUT', `${path}/state`, stop)],
    [/gone/, () => removeByHand(path, stop)],
  ] as const) {
    await byHand()
    await until(async () => shows.test((await driftOf()).reason ?? ''))
    await must(send('POST', `/apps/${STAYS}/deploy`, {}))
    await until(async () => (await driftOf()).findings === 0)
    assert.equal(await inside('hostname', `/systems/${STAYS}`), `${STAYS}\n`)
  }
  const { devices } = await cluster.first.ask<{ devices: object }>('GET', path)
  assert.equal(Object.keys(devices).includes('lent'), false)
})

test('R71 what is on a member that died is shown as out of reach, and others go on', { skip }, async () => {
  await cluster.second.kill()
  const { observed } = await seen(each => each.observed.state === 'unknown')
  assert.match(
    observed.reason ?? '',
    new RegExp(`it is on "${k2}", a member of the cluster that does not answer`),
  )
  await until(async () => (await members()).some(({ name, status }) => name === k2 && status === 'offline'))
  const other = await shown(`/systems/${STAYS}`)
  assert.deepEqual([other.observed.state, other.drift.findings], ['running', 0])
  assert.equal(await inside('hostname', `/systems/${STAYS}`), `${STAYS}\n`)
  await must(send('PATCH', `/systems/${STAYS}`, { memory_bytes: 80 * MIB }))
  const gone = await end(send('PATCH', `/systems/${STAYS}`, { member: k2 }))
  assert.equal(gone.error?.code, 'SYSTEM_MEMBER_NOT_READY')
  const lost = await end(send('PATCH', PATH, { memory_bytes: 96 * MIB }))
  assert.equal(lost.error?.code, 'SYSTEM_OUT_OF_REACH')
  await refused('SYSTEM_NOT_SEEN', send('PATCH', PATH, { name: `${NAME}-3` }))
  // What has another name than all that is there can only be gone, and its record goes.
  const never = await end(send('POST', '/systems', { name: 'never', ...SMALL, image: 'nothing' }))
  assert.equal(never.error?.code, 'SYSTEM_IMAGE_MISSING')
  await must(send('DELETE', '/systems/never?confirm=never'), 'removed')
  await cluster.second.start()
  await seen(each => each.observed.state === 'running')
  assert.equal(await inside('cat /root/mark'), 'kept\n')
})

test('R71 a move whose receiving daemon is killed ends at one of the two members, where the system answers', {
  skip,
}, async () => {
  await must(send('PATCH', `/systems/${STAYS}`, { member: k1 }))
  await inside('echo stays > /root/mark; sync', `/systems/${STAYS}`)
  const killed = async () => {
    await cluster.second.kill()
    await cluster.second.start()
    await world.crash('worker')
  }
  const failpoint = 'worker system.move after-call POST incus /1.0/instances/*'
  const { end: over, missed } = await crashWhile(
    { ...world, crash: killed },
    { failpoint, victim: 'worker' },
    () => send('PATCH', `/systems/${STAYS}`, { member: k2 }),
  )
  assert.deepEqual(missed, [])
  const member = over?.outcome === 'deployed' ? k2 : k1
  assert.deepEqual(
    [over?.outcome, await locationOf(STAYS)],
    [member === k2 ? 'deployed' : 'returned-to-previous', member],
  )
  await until(async () => (await shown(`/systems/${STAYS}`)).member === member)
  assert.equal(await inside('cat /root/mark', `/systems/${STAYS}`), 'stays\n')
})

async function members(): Promise<readonly MemberDocument[]> {
  return (await get<MemberList>('/system-members')).items
}

/** The deployment, ended by somebody and over. */
async function cancelled(id: string): Promise<DeploymentDetail> {
  await send('POST', `/deployments/${id}/cancel`, {})
  const over = await awaited(async () => {
    const now = await get<DeploymentDetail>(`/deployments/${id}`)
    return now.finished_at === null ? undefined : now
  })
  assert.equal(over.state, 'cancelled')
  return over
}

/** The member, once what was asked for is over. The manager may be away. */
async function changed(member: string): Promise<MemberDocument> {
  let found: MemberDocument | undefined
  await until(async () => {
    found = (await members().catch(() => [])).find(({ name }) => name === member)
    return found?.change !== undefined && found.change !== null && found.change.state !== 'under-way'
  })
  assert.ok(found)
  return found
}

async function removeByHand(path: string, stop: object): Promise<void> {
  await cluster.first.ask('PUT', `${path}/state`, stop)
  await cluster.first.ask('DELETE', path)
}

async function locationOf(name: string): Promise<string> {
  return (await instance(name)).location
}

async function instance(name = NAME) {
  const path = `/1.0/instances/${name}`
  return await cluster.first.ask<{ status: string; location: string; config: Record<string, string> }>(
    'GET',
    path,
  )
}

async function statusOf(member: string): Promise<string> {
  const path = `/1.0/cluster/members/${member}`
  return (await cluster.first.ask<{ status: string }>('GET', path)).status
}

function goOn(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT')
  } catch {
    // It has ended.
  }
}
