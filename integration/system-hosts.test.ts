import assert from 'node:assert/strict'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { ensureBaseImage } from '#cli/demo/base-image.ts'
import type { FirewallList } from '#contract/rest/firewall.ts'
import type { HostDocument } from '#contract/rest/hosts.ts'
import type { BackupDocument, BackupList } from '#contract/rest/system-backups.ts'
import type { SystemDocument } from '#contract/rest/systems.ts'
import { makeAptImage, TOOL } from './world/apt-image.ts'
import { mustRun } from './world/command.ts'
import { deskOf } from './world/desk.ts'
import { guardIncus } from './world/guardian.ts'
import { imageServerOf, serveImages } from './world/image-server.ts'
import { IMAGE, type IncusHost, namesOn, settingsOf, startIncus, whyNoIncus } from './world/incus.ts'
import { logIn, newKey } from './world/log-in.ts'
import { refused } from './world/outcome.ts'
import { type PartProcess, partProcess } from './world/part-process.ts'
import { liveInPlainPool, plainPoolOf } from './world/plain-pool.ts'
import { startSecondEngine } from './world/second-engine.ts'
import { startSecondWorker } from './world/second-worker.ts'
import { type System, startSystem } from './world/system.ts'

/** Two hosts with a real Incus daemon each: what systems are made of, what they keep from each other, where they move. */
const stack = new AsyncDisposableStack()
const skip = (await whyNoIncus()) ?? false
const MIB = 1_048_576
const DAY_MS = 86_400_000
const NAME = `eve-${process.pid}`
const PATH = `/systems/${NAME}`
const SECOND = `${NAME}-2`
const MOVED = `${NAME}-3`
const GUARDED = `${NAME}-4`
const OTHER = 'other'
const PLAIN = 'plain'
/** In which the whole of a pool is quickly written. */
const SMALL_POOL = '400MiB'
const SMALL = { memory_bytes: 64 * MIB, cpus: 0.5 }
let near: IncusHost
let far: IncusHost
let system: System
let worker: PartProcess
let key: { file: string; line: string }
let host = ''
let farFolder = ''
const desk = deskOf({ name: NAME, system: () => system, key: () => key.file })
const { send, get, must, end, inside, until, place, ended, backedUp, fileOf, commandWith } = desk

before(async () => {
  if (skip !== false) {
    process.stderr.write(`SKIPPED: everything about hosts of system containers: ${skip}\n`)
    return
  }
  near = await startIncus(stack)
  far = await startIncus(stack, SMALL_POOL)
  const settings = { ...settingsOf(near), FAIRLEAD_SYSTEM_IMAGE_SERVER: imageServerOf(near) }
  system = await startSystem(stack, {
    store: 'file',
    environment: { ...settings, FAIRLEAD_OBSERVE_SECONDS: '1' },
  })
  worker = await partProcess(system.together().worker)
  stack.defer(() => worker.close())
  host = (await get<{ items: HostDocument[] }>('/hosts')).items[0]?.name ?? ''
  farFolder = await startSecondWorker(stack, system, { name: OTHER, settings: settingsOf(far) })
  key = await newKey(system.folder, 'eve')
  await send('POST', '/ssh-keys', { key: key.line })
  await near.addImage(await makeAptImage(near.folder), 'apt')
})

after(() => stack.disposeAsync())

test('R71 a system gets its SSH server and what its profile has at the first start', { skip }, async () => {
  const wanted = { name: NAME, host, image: 'apt', ...SMALL, disk_bytes: 400 * MIB }
  await refused('PROFILE_NOT_FOUND', send('POST', '/systems', { ...wanted, profile: 'web' }))
  const set = await commandWith(['systems', 'profiles', '--set', 'web', '--packages', TOOL], '')
  assert.match(set.stdout, new RegExp(`web +openssh-server ${TOOL}`))
  // Every minute: some minutes later one is there.
  const schedule = { cron: '* * * * *', keep_days: 1 }
  const made = send('POST', '/systems', { ...wanted, profile: 'web', schedule })
  // Its worker is killed while apt-get is at work.
  const underWay = async () => JSON.stringify(await near.ask('GET', '/1.0/operations?recursion=1'))
  await until(async () => /"Executing command"/.test(await underWay()))
  await worker.kill()
  await worker.start()
  await must(made)
  assert.equal(await inside(TOOL), 'it works\n')
  const kept = await near.ask<string[]>('GET', `/1.0/instances/${NAME}/logs/exec-output`)
  assert.deepEqual(kept ?? [], [])
  // What is installed once is not installed again.
  await inside(`rm /usr/bin/${TOOL}`)
  await must(send('POST', `${PATH}/start`, {}), 'nothing-to-do')
  await assert.rejects(inside(TOOL))
  // Some minutes later it is not there any more.
  const over = { name: 'over', expires_at: new Date(Date.now() - DAY_MS).toISOString() }
  await near.ask('POST', `/1.0/instances/${NAME}/snapshots`, over)
})

test('R71 R72 the command logs in with the SSH client and the keys of whoever types it, and nobody by a password', {
  skip,
}, async () => {
  const folder = join(system.folder, 'client')
  await mkdir(folder)
  const known = `UserKnownHostsFile ${folder}/known\nStrictHostKeyChecking accept-new\n`
  await writeFile(
    join(folder, 'config'),
    `IdentityFile ${key.file}\nIdentitiesOnly yes\nLogLevel ERROR\n${known}`,
  )
  // Its settings are those of the account that the test runs under, wherever HOME is.
  await writeFile(join(folder, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F ${folder}/config "$@"\n`, {
    mode: 0o755,
  })
  const ssh = async (words: readonly string[], typed: string) => {
    const path = `${folder}:${process.env.PATH}`
    const { code, stdout, stderr } = await commandWith(['systems', 'ssh', NAME, ...words], typed, path)
    return [code, stdout, stderr]
  }
  assert.deepEqual(await ssh(['--', 'hostname; exit 3'], ''), [3, `${NAME}\n`, ''])
  assert.deepEqual(await ssh([], 'echo typed | tr a-z A-Z\nexit 5\n'), [5, 'TYPED\n', ''])
  const { file } = await newKey(system.folder, 'mallory')
  const { code, stderr } = await logIn(await place(), file, 'true')
  assert.equal(code, 255)
  // All that its server takes.
  assert.match(stderr, /Permission denied \(publickey\)/)
})

test('R71 a system gets no more time of processors and no more processes than it has, as it was made and after a change', {
  skip,
}, async () => {
  const usedMs = async () => {
    const { cpu } = await near.ask<{ cpu: { usage: number } }>('GET', `/1.0/instances/${NAME}/state`)
    return cpu.usage / 1e6
  }
  /** Of one processor. Two are asked for; a busy machine gives less, one without the limit more. */
  const share = async () => {
    const [before, began] = [await usedMs(), performance.now()]
    await inside("for i in 1 2; do timeout 2 sh -c 'while :; do :; done' & done; wait")
    return ((await usedMs()) - before) / (performance.now() - began)
  }
  const forks = async (count: number) =>
    await logIn(await place(), key.file, `for i in $(seq ${count}); do sleep 1 & done; wait`)
  const made = await share()
  assert.ok(made > 0 && made < 0.65, `${made} of 0.5`)
  await must(send('PATCH', PATH, { cpus: 0.2, processes: 40 }))
  const less = await share()
  assert.ok(less > 0 && less < 0.3, `${less} of 0.2`)
  assert.match((await forks(60)).stderr, /fork/)
  await must(send('PATCH', PATH, { cpus: 0.5, processes: 200 }))
  assert.deepEqual(await forks(60), { code: 0, stdout: '', stderr: '' })
})

test('R71 R73 in a pool that is a plain folder a system has no disk limit, nor has one of its backup, and is brought back to what was kept', {
  skip,
}, async () => {
  await startSecondWorker(stack, system, { name: PLAIN, settings: await plainPoolOf(near) })
  await liveInPlainPool(desk, { name: SECOND, host: PLAIN, image: IMAGE, ...SMALL })
  assert.deepEqual(await namesOn(near), [NAME])
})

test('R71 what cannot be installed is a failed deployment with the reason, and leaves nothing', {
  skip,
}, async () => {
  await send('PUT', '/system-profiles/wrong', { packages: ['no-such-thing'] })
  const wrong = { name: SECOND, host, image: 'apt', profile: 'wrong', ...SMALL }
  const failed = await end(send('POST', '/systems', wrong))
  assert.equal(failed.error?.code, 'SYSTEM_NOT_INSTALLED')
  assert.match(failed.error?.message ?? '', /Unable to locate package no-such-thing/)
  assert.deepEqual(await namesOn(near), [NAME])
  await must(send('DELETE', `/systems/${SECOND}?confirm=${SECOND}`), 'removed')
  const without = await end(send('POST', '/systems', { ...wrong, image: IMAGE, profile: 'web' }))
  assert.equal(without.error?.code, 'SYSTEM_WITHOUT_PACKAGES')
  await must(send('DELETE', `/systems/${SECOND}?confirm=${SECOND}`), 'removed')
})

test('R71 a system is made of an image of the server that its host names; what cannot be had is told with image and server', {
  skip,
}, async () => {
  const second = `/systems/${SECOND}`
  const refusal = async (image: string) => {
    const { error } = await end(send('POST', '/systems', { name: SECOND, host, image, ...SMALL }))
    assert.ok(
      error?.message.includes(imageServerOf(near)) && error.message.includes(image.slice(7)),
      `${error?.message}`,
    )
    assert.deepEqual(await namesOn(near), [NAME])
    await must(send('DELETE', `${second}?confirm=${SECOND}`), 'removed')
    return `${error?.code}: ${error?.message}`
  }
  assert.match(await refusal('images:tiny/1'), /^SYSTEM_IMAGE_SERVER_AWAY: /)
  await serveImages(stack, near, join(near.folder, 'image.tar.gz'))
  assert.match(await refusal('images:tiny/1'), /^SYSTEM_IMAGE_SERVER_AWAY: .*unknown authority/)
  // The daemon reads at its start whom it trusts.
  await near.kill()
  await near.start()
  assert.match(await refusal('images:tiny/2'), /^SYSTEM_IMAGE_NOT_SERVED: /)
  assert.match(await refusal('images:broken/1'), /^SYSTEM_IMAGE_DAMAGED: /)
  await must(send('POST', '/systems', { name: SECOND, host, image: 'images:tiny/1', ...SMALL }))
  assert.equal(await inside('hostname', second), `${SECOND}\n`)
  await must(send('DELETE', `${second}?confirm=${SECOND}`), 'removed')
})

test('R71 two systems have no user in common, and one with a foreign address is not heard', {
  skip,
}, async () => {
  await must(send('POST', '/systems', { name: SECOND, host, image: IMAGE, ...SMALL }))
  const second = `/systems/${SECOND}`
  const starts = await Promise.all([PATH, second].map(each => inside('cat /proc/self/uid_map', each)))
  const [one = 0, two = 0] = starts.map(each => Number(each.trim().split(/\s+/)[1]))
  assert.ok(Math.abs(one - two) >= 65_536, starts.join())
  const answers = (from: string) =>
    `ping -c 2 -W 2 ${from} 10.231.80.1 >/dev/null && echo heard || echo silence`
  await until(async () => (await inside(answers(''), second)) === 'heard\n')
  await inside('ip addr add 10.231.80.250/24 dev eth0', second)
  assert.equal(await inside(answers('-I 10.231.80.250'), second), 'silence\n')
  await until(async () => (await inside(answers(''), second)) === 'heard\n')
  await inside(
    'ip link set eth0 down; ip link set eth0 address 02:00:00:00:00:01; ip link set eth0 up',
    second,
  )
  assert.equal(await inside(answers(''), second), 'silence\n')
  await must(send('DELETE', `${second}?confirm=${SECOND}`), 'removed')
})

test('R73 a system is made of a backup on another host, also where a full pool has refused it first', {
  skip,
}, async () => {
  await inside('dd if=/dev/urandom of=/root/drill bs=1M count=60; sync')
  const sum = await inside('sha256sum /root/drill')
  const backup = await backedUp()
  await must(
    send('POST', '/systems', { name: 'filler', host: OTHER, image: IMAGE, disk_bytes: null, ...SMALL }),
  )
  await inside('dd if=/dev/zero of=/root/all bs=1M; sync; true', '/systems/filler')
  const create = ['systems', 'create', MOVED, '--backup', backup.id, '--host', OTHER]
  const full = await commandWith(create, '')
  assert.match(full.stdout + full.stderr, /has no room for/)
  assert.deepEqual(await namesOn(far), ['filler'])
  await must(send('DELETE', `/systems/${MOVED}?confirm=${MOVED}`), 'removed')
  // Room comes back with what is synced, not with what is deleted.
  await inside('rm /root/all; sync', '/systems/filler')
  await must(send('DELETE', '/systems/filler?confirm=filler'), 'removed')
  // The first one is gone, and its host would be of no use: the copy is enough.
  const { items } = await get<BackupList>('/system-backups')
  const copy = items.find(each => each.copy_of === backup.id)
  assert.deepEqual([copy?.host, copy?.sha256, copy?.state], [OTHER, backup.sha256, 'kept'])
  await send('DELETE', `/system-backups/${backup.id}`)
  await until(async () => !(await filesIn(fileOf(backup))).includes(`${backup.id}.age`))
  await must(send('POST', '/systems', { name: MOVED, backup: copy?.id }))
  assert.equal(await inside('sha256sum /root/drill', `/systems/${MOVED}`), sum)
  assert.deepEqual(await readdir(join(farFolder, 'system-backups')), [`${copy?.id}.age`])
  assert.deepEqual([await namesOn(near), await namesOn(far)], [[NAME], [MOVED]])
  // The host of the backup calls its network otherwise: nothing stays of that one.
  const networks = await far.ask<string[]>('GET', '/1.0/networks')
  assert.ok(networks.includes(`/1.0/networks/${far.network}`))
  assert.ok(!networks.includes(`/1.0/networks/${near.network}`))
  await must(send('DELETE', `/systems/${MOVED}?confirm=${MOVED}`), 'removed')
})

test('R73 a backup that is deleted while it is made is ended and leaves nothing', { skip }, async () => {
  const { id } = await send<BackupDocument>('POST', `${PATH}/backups`, {})
  await until(async () => (await packedOf(NAME)).length > 0)
  await send('DELETE', `/system-backups/${id}`)
  await until(async () => !(await get<BackupList>('/system-backups')).items.some(each => each.id === id))
  assert.deepEqual(await packedOf(NAME), [])
  const left = await filesIn(join(system.folder, 'worker/system-backups/any'))
  assert.deepEqual(
    left.filter(each => each.startsWith(id)),
    [],
  )
  await inside('true')
})

test('R73 scheduled backups and snapshots are made by themselves, and what is over goes by itself', {
  skip,
}, async () => {
  await must(send('PATCH', PATH, { backups: { cron: '0 4 * * *', keep: 1 } }), 'nothing-to-do')
  const scheduled = async () =>
    (await get<BackupList>('/system-backups')).items.filter(each => each.scheduled && each.system === NAME)
  const next = async (isNew: (each: BackupDocument) => boolean) => {
    // Its last one was two days ago: the next one is due.
    const db = new DatabaseSync(join(system.folder, 'manager/fairlead.db'))
    db.exec('pragma busy_timeout = 20000; update systems set backup_at = backup_at - 172800000')
    db.close()
    await until(async () => (await scheduled()).some(isNew))
    const backup = await ended((await scheduled()).find(isNew)?.id ?? '')
    assert.deepEqual([backup.state, backup.reason], ['kept', null])
    return backup
  }
  const first = await next(() => true)
  const second = await next(({ id }) => id !== first.id)
  // One of them is kept.
  await until(async () => (await scheduled()).length === 1)
  assert.equal((await scheduled())[0]?.id, second.id)
  assert.ok((await filesIn(fileOf(second))).includes(`${second.id}.age`))
  await until(async () => !(await filesIn(fileOf(first))).includes(`${first.id}.age`))
  const snapshots = async () =>
    await near.ask<Snapshot[]>('GET', `/1.0/instances/${NAME}/snapshots?recursion=1`)
  await until(async () => (await snapshots()).some(each => /^auto-\d+$/.test(each.name)))
  await until(async () => !(await snapshots()).some(each => each.name === 'over'))
  for (const { created_at, expires_at } of await snapshots()) {
    const days = (Date.parse(expires_at) - Date.parse(created_at)) / DAY_MS
    assert.ok(Math.abs(days - 1) < 0.01, `${days} days`)
  }
})

test('R71 R78 R82 a guardian opens the ports of a system for those that its owner names, also beside Docker, and closes them', {
  skip,
}, async () => {
  await guardIncus(stack, system, {
    incus: far,
    worker: OTHER,
    bounds: 'ports: [22000-22002]\nkeep: [8100]\n',
  })
  const ports = [
    { container: 8080, sources: ['10.0.0.0/8'] },
    { container: 8081, sources: ['192.0.2.0/24'] },
  ]
  await must(send('POST', '/systems', { name: GUARDED, host: OTHER, image: IMAGE, ...SMALL, ports }))
  const moved = `/systems/${GUARDED}`
  await inside(
    'mkdir /www; echo hello > /www/index.html; httpd -p 8080 -h /www; httpd -p 8081 -h /www',
    moved,
  )
  const given = (await get<SystemDocument>(moved)).ports
  const read = async (container: number) =>
    await readPort(given.find(each => each.container === container)?.host ?? 0)
  await until(async () => (await read(8080)) === 'hello\n')
  assert.equal(await read(8081), undefined)
  const openFor = async () =>
    (await get<FirewallList>('/firewall')).items.flatMap(each => each.wanted.map(({ app }) => app))
  assert.deepEqual([...new Set(await openFor())], [GUARDED])
  // The owner of the host lets no more than three be opened.
  const beyond = await end(send('PATCH', moved, { ports: [...ports, { container: 8082 }] }))
  assert.match(`${beyond.error?.code} ${beyond.error?.message}`, /22003/)
  await must(send('PATCH', moved, { ports }), 'nothing-to-do')
  await besideDocker(async () => {
    assert.equal(await inside('hostname', moved), `${GUARDED}\n`)
    assert.equal(await read(8080), 'hello\n')
    assert.equal(await read(8081), undefined)
    // Its program forwards them, whatever Docker does with what is forwarded by the kernel.
    await must(send('POST', `${moved}/restart`, {}))
    assert.equal(await inside('hostname', moved), `${GUARDED}\n`)
  })
  await must(send('DELETE', `${moved}?confirm=${GUARDED}`), 'removed')
  assert.deepEqual(await openFor(), [])
})

/** A real engine on the same host, with its rules, one port that the owner of the host keeps open and one that nobody does. */
async function besideDocker(look: () => Promise<void>): Promise<void> {
  await using docker = new AsyncDisposableStack()
  const within = async (...words: string[]) =>
    await mustRun('nsenter', [`--net=${far.namespace}`, ...words], { folder: '/' })
  // As on a host where it was before Incus: whoever turns forwarding on has Docker drop what is not its own.
  await within('sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward')
  const engine = await startSecondEngine(docker, { wire: far.wire })
  await ensureBaseImage({ name: 'base:1', socketPath: engine.socket })
  const serve = 'mkdir /www; echo published > /www/index.html; exec httpd -f -p 80 -h /www'
  const ports = ['--publish=8100:80', '--publish=8101:80']
  await engine.docker('run', '--detach', ...ports, 'base:1', 'sh', '-c', serve)
  assert.match(await within('iptables', '-S', 'FORWARD'), /^-P FORWARD DROP$/m)
  assert.match(await within('nft', 'list', 'tables'), /^table inet fairlead$/m)
  await until(async () => (await readPort(8100)) === 'published\n')
  assert.equal(await readPort(8101), undefined)
  await look()
}

/** What is served at a port of the guarded host; undefined: nobody answers. */
async function readPort(port: number): Promise<string | undefined> {
  const asked = fetch(`http://${far.ip}:${port}/`, { signal: AbortSignal.timeout(2_000) })
  return await asked.then(
    answer => answer.text(),
    () => undefined,
  )
}

interface Snapshot {
  readonly name: string
  readonly created_at: string
  readonly expires_at: string
}

async function packedOf(name: string): Promise<string[]> {
  return await near.ask<string[]>('GET', `/1.0/instances/${name}/backups`)
}

/** Beside this file. */
async function filesIn(file: string): Promise<string[]> {
  return await readdir(join(file, '..'))
}
