// What somebody would try who can run code in the manager. Prints one JSON line per attempt; { worked: true } is a way out.
import { createRequire } from 'node:module'
import { connect } from 'node:net'

const [own, workerKey, victim] = process.argv.slice(2)
const fs = process.getBuiltinModule('node:fs')
const require = createRequire(import.meta.url)

const dial = path =>
  new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(socket.destroy()))
    socket.once('error', reject)
  })
const child = name => process.getBuiltinModule('node:child_process')[name]
const linked = (target, name) => {
  fs.symlinkSync(target, `${own}/${name}`)
  return fs.readFileSync(`${own}/${name}`)
}

const ATTEMPTS = {
  'start a program': () => child('execFileSync')('/usr/bin/id'),
  'start a shell': () => child('execSync')('id'),
  'start another Node': () => child('spawnSync')(process.execPath, ['-e', '0']).error ?? 'started',
  'fork itself': () => child('fork')(`${own}/x.mjs`),
  'start a thread without limits': () =>
    new (process.getBuiltinModule('node:worker_threads').Worker)('0', { eval: true, execArgv: [] }),
  'load native code': () => process.dlopen({ exports: {} }, `${own}/x.node`),
  'require native code': () => require(`${own}/x.node`),
  'take the bindings of Node': () => process.binding('spawn_sync').spawn({ file: '/usr/bin/id', args: ['id'] }),
  'open its own debugger': () => process.getBuiltinModule('node:inspector').open(0),
  'become root': () => process.setuid(0),
  'become a member of docker': () => process.setgroups([0]),
  'reach the Docker engine': () => dial('/var/run/docker.sock'),
  'reach the Docker engine by its other name': () => dial('/run/docker.sock'),
  'reach containerd': () => dial('/run/containerd/containerd.sock'),
  'reach systemd': () => dial('/run/systemd/private'),
  'reach the bus': () => dial('/run/dbus/system_bus_socket'),
  "read the worker's key": () => fs.readFileSync(workerKey),
  "read the worker's key through a link": () => linked(workerKey, 'key'),
  "write the worker's key": () => fs.writeFileSync(workerKey, ''),
  "list the worker's folder": () => fs.readdirSync(workerKey.replace(/\/[^/]*$/, '')),
  'read the shadow file': () => fs.readFileSync('/etc/shadow'),
  'read the shadow file through a link': () => linked('/etc/shadow', 'shadow'),
  'read the environment of a process of root': () => fs.readFileSync(`/proc/${victim}/environ`),
  'read the memory of a process of root': () => fs.openSync(`/proc/${victim}/mem`, 'r+'),
  'follow the root of a process of root': () => fs.readdirSync(`/proc/${victim}/root/`),
  'open the debugger of a process of root': () => process.kill(victim, 'SIGUSR1'),
  'stop a process of root': () => process.kill(victim, 0),
  'write a unit': () => fs.writeFileSync('/etc/systemd/system/fairlead-attack.service', ''),
  'write a job': () => fs.writeFileSync('/etc/cron.d/fairlead-attack', ''),
  'write a key of root': () => fs.appendFileSync('/root/.ssh/authorized_keys', ''),
  'write its own program': () => fs.writeFileSync(`${process.execPath}.x`, ''),
  'write the kernel': () => fs.writeFileSync('/proc/sys/kernel/core_pattern', '|/x'),
  'write a disk': () => fs.openSync('/dev/sda', 'r+'),
  'leave its folder': () => fs.writeFileSync(`${own}/../attack`, ''),
}

for (const [what, attempt] of Object.entries(ATTEMPTS)) {
  let said
  try {
    const result = await attempt()
    said = result instanceof Error ? { worked: false, why: result.code } : { worked: true }
  } catch (error) {
    said = { worked: false, why: error.code ?? error.message }
  }
  process.stdout.write(`${JSON.stringify({ what, ...said })}\n`)
}
process.exit(0)
