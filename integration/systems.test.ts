import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { createClient } from '#cli/client.ts'
import type { BackupDocument } from '#contract/rest/system-backups.ts'
import type { SshKeyDocument, SystemList } from '#contract/rest/systems.ts'
import { type CrashWorld, startCrashWorld } from './crash/crash-world.ts'
import { cancelOnTheWay, endInTheMiddle } from './crash/system-crashes.ts'
import { deskOf } from './world/desk.ts'
import { IMAGE, type IncusHost, namesOn, settingsOf, startIncus, whyNoIncus } from './world/incus.ts'
import { logIn, newKey } from './world/log-in.ts'
import { restoreOldRights } from './world/old-rights.ts'
import { refused } from './world/outcome.ts'

/** A real Incus daemon, busybox containers with an SSH server, the whole of Fairlead. */
const stack = new AsyncDisposableStack()
const skip = (await whyNoIncus()) ?? false
const MIB = 1_048_576
const NAME = `ada-${process.pid}`
const PATH = `/systems/${NAME}`
const SECOND = `${NAME}-2`
let incus: IncusHost
let world: CrashWorld
let key: { file: string; line: string }
let stranger: { file: string; line: string }
const desk = deskOf({ name: NAME, system: () => world.system, key: () => key.file })
const { send, get, shown, seen, settled, end, must, until, place, inside } = desk
const { admin, openConsole, newMember, auditOf, commandWith, backedUp, fileOf } = desk

before(async () => {
  if (skip !== false) {
    process.stderr.write(`SKIPPED: everything about system containers: ${skip}\n`)
    return
  }
  incus = await startIncus(stack)
  world = await startCrashWorld(stack, {
    engine: 'shared',
    settings: { ...settingsOf(incus), FAIRLEAD_OBSERVE_SECONDS: '1' },
  })
  key = await newKey(world.system.folder, 'ada')
  stranger = await newKey(world.system.folder, 'eve')
})

after(() => stack.disposeAsync())

test('R71 X06 whoever has no SSH key is refused, and so is what is no plain public key', {
  skip,
}, async () => {
  await refused('SSH_KEY_MISSING', send('POST', '/systems', { name: NAME, image: IMAGE }))
  const bad = [
    `command="id" ${key.line}`,
    `${key.line}\n${stranger.line}`,
    key.line.slice(0, 40),
    'ssh-dss AAAAB3NzaC1kc3MAAACBAA==',
    '-----BEGIN OPENSSH PRIVATE KEY-----',
  ]
  for (const each of bad) {
    await refused('SSH_KEY_INVALID', send('POST', '/ssh-keys', { key: each }))
  }
  await refused('BAD_INPUT', send('POST', '/ssh-keys', { key: `${key.line} ${'c'.repeat(10_240)}` }))
  assert.match((await send<SshKeyDocument>('POST', '/ssh-keys', { key: key.line })).fingerprint, /^SHA256:/)
})

test('R65 R71 R72 a person makes a machine and logs in by key; nobody else does', { skip }, async context => {
  const began = performance.now()
  const ended = await must(
    send('POST', '/systems', {
      ...{ name: NAME, image: IMAGE, processes: 60, memory_bytes: 96 * MIB, cpus: 0.5 },
      disk_bytes: 200 * MIB,
    }),
  )
  assert.equal(ended.outcome, 'deployed')
  assert.equal((await inside('hostname')).trim(), NAME)
  context.diagnostic(`create to SSH: ${Math.round(performance.now() - began)} ms`)
  assert.notEqual((await logIn(await place(), stranger.file, 'true')).code, 0)
  const { items } = await get<SystemList>('/systems')
  const [mine] = items
  assert.deepEqual([items.length, mine?.name, mine?.owner, mine?.wanted], [1, NAME, 'admin', 'running'])
  assert.equal(mine?.ssh?.command, `ssh -p ${mine?.ssh?.port} root@${incus.ip}`)
  await seen(({ observed }) => observed.state === 'running')
})

test('R71 a machine gets no more memory, processes and disk than it was given', { skip }, async () => {
  const take = (mib: number) => `dd if=/dev/zero of=/dev/null bs=${mib}M count=1`
  assert.notEqual((await logIn(await place(), key.file, take(150))).code, 0)
  const fill = (mib: number) => `dd if=/dev/urandom of=/root/big bs=1M count=${mib} && sync`
  const full = await logIn(await place(), key.file, fill(300))
  assert.notEqual(full.code, 0)
  assert.match(full.stderr, /space|quota/i)
  await inside('rm -f /root/big; echo kept > /root/mark; sync')
  const forks = 'for i in $(seq 100); do sleep 1 & done'
  assert.match((await logIn(await place(), key.file, forks)).stderr, /fork/)
  await must(send('PATCH', PATH, { memory_bytes: 256 * MIB, processes: 400, cpus: 1, disk_bytes: 400 * MIB }))
  // It was not started anew for that.
  await inside(take(150))
  await inside(`${fill(250)} && rm /root/big`)
  await refused(undefined, send('PATCH', PATH, { memory_bytes: -1 }))
})

test('R71 what is over a quota is refused, and nothing changes', { skip }, async () => {
  const none = { systems: null, cpus: null, memory_bytes: null, disk_bytes: null, ports: null }
  await send('PUT', '/system-quotas/person/admin', { ...none, memory_bytes: 300 * MIB, systems: 1 })
  await refused('QUOTA_EXCEEDED', send('PATCH', PATH, { memory_bytes: 301 * MIB }))
  await refused('QUOTA_EXCEEDED', send('POST', '/systems', { name: 'second', image: IMAGE }))
  await send('PUT', '/system-quotas/person/admin', none)
  await send('PUT', '/system-quotas/host/*', { ...none, cpus: 1.5 })
  await refused('QUOTA_EXCEEDED', send('PATCH', PATH, { cpus: 2 }))
  await send('PUT', '/system-quotas/host/*', none)
  assert.equal((await shown()).memory_bytes, 256 * MIB)
})

test('R71 its owner asks for a port and reaches what listens there, until it is given back', {
  skip,
}, async () => {
  await inside('mkdir -p /www && echo hello > /www/index.html && httpd -p 8080 -h /www')
  await must(send('PATCH', PATH, { ports: [{ container: 8080 }] }))
  const port = (await shown()).ports.find(each => each.container === 8080)?.host
  const url = `http://${incus.ip}:${port}/`
  assert.equal(await fetch(url).then(answer => answer.text()), 'hello\n')
  await must(send('PATCH', PATH, { ports: [] }))
  await assert.rejects(fetch(url))
  assert.equal((await shown()).ports.length, 1)
  const some = { ports: [{ container: 8080, sources: ['10.0.0.0/8'] }] }
  await refused('GUARDIAN_MISSING', send('PATCH', PATH, some))
})

test('R73 a snapshot is kept, and the disk is brought back to it', { skip }, async context => {
  await inside('echo one > /root/file; sync')
  const began = performance.now()
  await must(send('POST', `${PATH}/snapshots`, { name: 'before' }))
  const kept = performance.now()
  await inside('echo two > /root/file; sync')
  await must(send('POST', `${PATH}/restore`, { snapshot: 'before' }))
  context.diagnostic(
    `snapshot ${Math.round(kept - began)} ms, restore ${Math.round(performance.now() - kept)} ms`,
  )
  assert.equal(await inside('cat /root/file'), 'one\n')
  assert.equal((await shown()).memory_bytes, 256 * MIB)
  const never = await end(send('POST', `${PATH}/restore`, { snapshot: 'never' }))
  assert.equal(never.error?.code, 'SYSTEM_SNAPSHOT_GONE')
  await refused('SNAPSHOT_EXISTS', send('POST', `${PATH}/snapshots`, { name: 'before' }))
  await must(send('DELETE', `${PATH}/snapshots/before`))
  assert.deepEqual(await incus.ask('GET', `/1.0/instances/${NAME}/snapshots`), [])
})

test('R71 a console is a shell of root with its own size and exit code, and is in the audit log', {
  skip,
}, async () => {
  const shell = await openConsole(admin(), { columns: 91, rows: 33 })
  shell.type('stty size; id -un\n')
  await shell.shown(/33 91[\s\S]*root/)
  shell.resize({ columns: 120, rows: 40 })
  // The program in the foreground is told of it some time later.
  shell.type('until stty size | grep -q "40 120"; do sleep 0.1; done; echo is-wide\n')
  await shell.shown(/\nis-wide/)
  shell.type('dd if=/dev/zero bs=1024 count=2048 2>/dev/null | tr "\\0" x; echo; echo all-there; exit 7\n')
  assert.deepEqual(await shell.end, { exit_code: 7, error: null })
  assert.match(shell.text(), /x{2000}[\s\S]*all-there/)
  const lines = await auditOf(`/api/v1${PATH}/console`)
  assert.deepEqual(lines.slice(0, 2), ['asked', 'done'])
  const piped = await commandWith(['systems', 'console', NAME], 'echo from-$((40+2)); exit 5\n')
  assert.deepEqual([piped.code, /from-42/.test(piped.stdout)], [5, true], piped.stdout + piped.stderr)
})

test('A02 R71 a console ends with the token, with its client and with the machine, and leaves no program behind', {
  skip,
}, async () => {
  const { token, details } = await send<{ token: string; details: { id: string } }>('POST', '/tokens', {
    ...{ name: 'short', days: 1, machine: { role: 'admin' } },
  })
  const first = await openConsole(token, { columns: 80, rows: 24 })
  first.type('sleep 4321\n')
  await first.shown(/sleep 4321/)
  await until(async () => /sleep 4321/.test(await inside('ps')))
  await send('DELETE', `/tokens/${details.id}`)
  assert.equal(await first.closed, 4401)
  await until(async () => !/sleep 4321/.test(await inside('ps')))
  const second = await openConsole(admin(), { columns: 80, rows: 24 })
  second.type('sleep 1234\n')
  await until(async () => /sleep 1234/.test(await inside('ps')))
  second.leave()
  await until(async () => !/sleep 1234/.test(await inside('ps')))
  const wrong = await openConsole(admin(), { columns: 80, rows: 24 })
  wrong.say('{"columns":0,"rows":1}')
  assert.equal(await wrong.closed, 4400)
})

test('A02 R71 R84 a member has a machine of their own and sees no other, and loses it all when locked out', {
  skip,
}, async () => {
  const member = await newMember('bob@example.org')
  const own = `bob-${process.pid}`
  const bob = createClient({ managerUrl: world.system.together().url, token: member.token, tokenFile: '' })
  await refused('SYSTEM_NOT_FOUND', bob.get(PATH))
  await refused('SYSTEM_NOT_FOUND', bob.send('POST', `${PATH}/stop`, {}))
  await assert.rejects(openConsole(member.token, { columns: 80, rows: 24 }), /404/)
  await bob.send('POST', '/ssh-keys', { key: stranger.line })
  await refused('ROLE_MISSING', bob.send('POST', '/systems', { name: own, image: IMAGE, owner: 'admin' }))
  const small = { name: own, image: IMAGE, memory_bytes: 64 * MIB, disk_bytes: 64 * MIB }
  await refused('QUOTA_EXCEEDED', bob.send('POST', '/systems', { ...small, cpus: 3 }))
  await must(bob.send('POST', '/systems', { ...small, cpus: 0.5 }))
  await refused('QUOTA_EXCEEDED', bob.send('POST', '/systems', { ...small, name: `${own}-2` }))
  const { items } = await bob.get<SystemList>('/systems')
  assert.deepEqual(
    items.map(({ name, owner }) => [name, owner]),
    [[own, 'Bob']],
  )
  const login = items[0]?.ssh
  assert.ok(login)
  assert.equal((await logIn(login, stranger.file, 'hostname')).stdout, `${own}\n`)
  assert.notEqual((await logIn(login, key.file, 'true')).code, 0)
  await send('PATCH', `/people/${member.id}`, { disabled: true })
  await until(async () => (await logIn(login, stranger.file, 'true')).code !== 0)
  await refused('SYSTEM_NOT_ROLLED_BACK', send('POST', `/apps/${own}/rollback`, {}))
  await must(send('DELETE', `/systems/${own}?confirm=${own}`), 'removed')
})

test('R71 a key that is added gets in, one that is removed does not any more', { skip }, async () => {
  const added = await send<SshKeyDocument>('POST', '/ssh-keys', { key: stranger.line })
  await settled()
  assert.equal((await logIn(await place(), stranger.file, 'true')).code, 0)
  await send('DELETE', `/ssh-keys/${added.id}`)
  await settled()
  assert.notEqual((await logIn(await place(), stranger.file, 'true')).code, 0)
})

test('R71 a machine is stopped, started, restarted and renamed, and what is in it stays', {
  skip,
}, async () => {
  await must(send('POST', `${PATH}/stop`, {}))
  await seen(({ observed, drift }) => observed.state === 'stopped' && drift.findings === 0)
  await must(send('POST', `${PATH}/start`, {}))
  const up = await inside('cut -d" " -f22 /proc/1/stat')
  await must(send('POST', `${PATH}/restart`, {}))
  assert.notEqual(await inside('cut -d" " -f22 /proc/1/stat'), up)
  await refused('RENAMED_ALONE', send('PATCH', PATH, { name: `${NAME}-b`, cpus: 0.5 }))
  await must(send('PATCH', PATH, { name: `${NAME}-b` }))
  assert.deepEqual(await incus.ask('GET', '/1.0/instances'), [`/1.0/instances/${NAME}-b`])
  await must(send('PATCH', `${PATH}-b`, { name: NAME }))
  assert.equal(await inside('hostname; cat /root/mark'), `${NAME}\nkept\n`)
})

test('R71 what somebody changes by hand is shown, and the next deployment puts it right', {
  skip,
}, async () => {
  await seen(({ observed, drift }) => observed.state === 'running' && drift.findings === 0)
  await incus.ask('PATCH', `/1.0/instances/${NAME}`, { config: { 'limits.memory': '1GiB' } })
  const { drift } = await seen(each => each.drift.findings > 0)
  assert.match(drift.reason ?? '', /limits.memory/)
  await must(send('POST', `${PATH}/start`, {}))
  await seen(each => each.drift.findings === 0)
  // Root of a privileged one is root of its host.
  const rootOutside = async () => Number((await inside('cat /proc/self/uid_map')).trim().split(/\s+/)[1])
  const config = { 'security.privileged': 'yes', 'security.idmap.isolated': '', 'security.nesting': 'true' }
  await incus.ask('POST', '/1.0/profiles', { name: 'extra', config: { 'limits.kernel.nofile': '5000' } })
  await incus.ask('PATCH', `/1.0/instances/${NAME}`, { config, profiles: ['extra'] })
  await incus.ask('PUT', `/1.0/instances/${NAME}/state`, { action: 'restart', force: true, timeout: 30 })
  await until(async () => (await logIn(await place(), key.file, 'true')).code === 0)
  assert.equal(await rootOutside(), 0)
  const shownDrift = async () => JSON.stringify(await get(`/apps/${NAME}/drift`))
  await until(async () => /profiles.*security.nesting.*security.privileged/s.test(await shownDrift()))
  await must(send('POST', `${PATH}/start`, {}))
  assert.ok((await rootOutside()) > 0)
  await incus.ask('PUT', `/1.0/instances/${NAME}/state`, { action: 'freeze', timeout: 30 })
  await must(send('POST', `${PATH}/start`, {}))
  assert.equal(await inside('echo awake'), 'awake\n')
  // Refused while any container has it.
  await incus.ask('DELETE', '/1.0/profiles/extra')
  await seen(each => each.drift.findings === 0)
})

test(
  'R73 of a snapshot that was privileged, with a port that is of another now, the disk comes back alone',
  {
    skip,
  },
  () => restoreOldRights({ incus, desk, name: NAME, image: IMAGE }),
)

test('R73 a backup is an encrypted file, and a machine that is made of it runs beside the first', {
  skip,
}, async context => {
  await inside('echo drill > /root/drill; sync')
  const began = performance.now()
  const backup = await backedUp()
  context.diagnostic(`backup ${Math.round(performance.now() - began)} ms, ${backup.bytes} bytes`)
  const bytes = await readFile(fileOf(backup))
  assert.match(bytes.subarray(0, 30).toString(), /^age-encryption.org\/v1\n/)
  assert.equal(createHash('sha256').update(bytes).digest('hex'), backup.sha256)
  assert.deepEqual(await incus.ask('GET', `/1.0/instances/${NAME}/backups`), [])
  await inside('rm /root/drill; sync')
  const again = performance.now()
  await must(send('POST', '/systems', { name: SECOND, backup: backup.id }))
  context.diagnostic(`made of it in ${Math.round(performance.now() - again)} ms`)
  assert.equal(await inside('hostname; cat /root/drill', `/systems/${SECOND}`), `${SECOND}\ndrill\n`)
  assert.equal((await shown(`/systems/${SECOND}`)).memory_bytes, 256 * MIB)
  // The first has its own address, card and ports still.
  assert.equal(await inside('hostname; test -e /root/drill || echo gone'), `${NAME}\ngone\n`)
  await must(send('DELETE', `/systems/${SECOND}?confirm=${SECOND}`), 'removed')
  await refused('IMAGE_OR_BACKUP', send('POST', '/systems', { name: SECOND }))
})

test('P02 R73 a backup that was changed or is gone makes nothing, and one that is deleted leaves no file', {
  skip,
}, async () => {
  const [backup] = (await get<{ items: BackupDocument[] }>('/system-backups')).items
  assert.ok(backup)
  const file = await open(fileOf(backup), 'r+')
  const { size } = await file.stat()
  await file.write(Buffer.from('changed'), 0, 7, size - 60)
  await file.close()
  const broken = await end(send('POST', '/systems', { name: SECOND, backup: backup.id }))
  assert.equal(broken.error?.code, 'ARCHIVE_DAMAGED')
  assert.deepEqual(await namesOn(incus), [NAME])
  await must(send('DELETE', `/systems/${SECOND}?confirm=${SECOND}`), 'removed')
  await send('DELETE', `/system-backups/${backup.id}`)
  await until(async () => (await get<{ items: unknown[] }>('/system-backups')).items.length === 0)
  await assert.rejects(readFile(fileOf(backup)), /ENOENT/)
  await refused('BACKUP_NOT_FOUND', send('POST', '/systems', { name: SECOND, backup: backup.id }))
})

test(
  'R71 R73 what is killed in the middle goes on, or is made anew, and leaves nothing half',
  {
    skip,
  },
  () => endInTheMiddle({ incus, world, desk, names: [NAME, SECOND], key: key.file }),
)

test('R73 a snapshot or a restore that is cancelled on its way leaves nothing half either', { skip }, () =>
  cancelOnTheWay({ incus, world, desk, names: [NAME, SECOND], key: key.file }),
)

test('R71 a daemon that is down is told of as down, nothing else is, and all goes on afterwards', {
  skip,
}, async () => {
  await incus.kill()
  const ended = await end(send('POST', `${PATH}/restart`, {}))
  assert.equal(ended.error?.code, 'ENGINE_UNREACHABLE')
  const { observed } = await seen(each => each.observed.state === 'unknown')
  assert.match(observed.reason ?? '', /incus/)
  await incus.start()
  await seen(each => each.observed.state === 'running')
  await inside('true')
})

test('R71 an image that is not there and a name that is taken fail and leave nothing', { skip }, async () => {
  const missing = await end(send('POST', '/systems', { name: 'no-image', image: 'nothing' }))
  assert.equal(missing.error?.code, 'SYSTEM_IMAGE_MISSING')
  assert.match(missing.error?.message ?? '', new RegExp(IMAGE))
  await incus.ask('POST', '/1.0/instances', {
    ...{ name: 'taken', type: 'container', profiles: [], source: { type: 'image', alias: IMAGE } },
    devices: { root: { type: 'disk', path: '/', pool: incus.pool } },
  })
  const taken = await end(send('POST', '/systems', { name: 'taken', image: IMAGE }))
  assert.equal(taken.error?.code, 'SYSTEM_NAME_TAKEN')
  await refused('APP_EXISTS', send('POST', '/systems', { name: NAME, image: IMAGE }))
  for (const name of ['no-image', 'taken']) {
    await must(send('DELETE', `/systems/${name}?confirm=${name}`), 'removed')
  }
  // That one is somebody else's.
  assert.deepEqual(await namesOn(incus), [NAME, 'taken'].sort())
})

test('R71 one that was left half-made is made anew', { skip }, async () => {
  const { id } = await shown()
  await incus.ask('PATCH', `/1.0/instances/${NAME}`, { config: { 'user.fairlead.whole': '' } })
  await must(send('POST', `${PATH}/start`, {}))
  assert.equal(await inside('cat /root/mark 2>/dev/null || echo new'), 'new\n')
  const instance = await incus.ask<{ config: Record<string, string> }>('GET', `/1.0/instances/${NAME}`)
  assert.equal(instance.config['user.fairlead.id'], id)
})

test('R71 it is deleted with everything in it, and only when its name was said twice', { skip }, async () => {
  await refused('SYSTEM_NOT_CONFIRMED', send('DELETE', PATH))
  await refused('SYSTEM_NOT_CONFIRMED', send('DELETE', `${PATH}?confirm=other`))
  await must(send('DELETE', `${PATH}?confirm=${NAME}`), 'removed')
  assert.deepEqual(await incus.ask('GET', '/1.0/instances'), ['/1.0/instances/taken'])
  await refused('SYSTEM_NOT_FOUND', get(PATH))
})
