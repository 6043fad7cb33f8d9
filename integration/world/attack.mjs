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

/** Succeeds only when the program did. */
const started = (program, ...args) =>
  child('execFileSync')(program, args, { stdio: ['ignore', 'pipe', 'ignore'], timeout: 20_000 })
/** Sockets without a file, which no permission of a folder keeps anybody from. */
const dialNamed = async pattern => {
  const names = fs.readFileSync('/proc/net/unix', 'utf8').match(/(?<= @)\S+$/gm) ?? []
  const known = names.filter(name => pattern.test(name))
  await Promise.any([Promise.reject(new Error('none')), ...known.map(name => dial(`\0${name}`))])
}
const capabilities = () => {
  const [, mask] = /^CapEff:\t([0-9a-f]+)$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))
  if (/^0+$/.test(mask)) {
    throw new Error('none')
  }
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
  'reach Incus': () => dial('/var/lib/incus/unix.socket'),
  'reach LXD': () => dial('/var/lib/lxd/unix.socket'),
  'reach Podman': () => dial('/run/podman/podman.sock'),
  'reach the bus of root': () => dial('/run/user/0/bus'),
  'reach an engine or the bus by an abstract socket': () => dialNamed(/containerd|docker|incus|lxc|dbus|systemd/),
  'have a capability': capabilities,
  'become root by a password that is none': () => started('su', '-c', 'id', 'root'),
  'become root without a password': () => started('sudo', '-n', 'id'),
  'become root by asking polkit': () => started('pkexec', '--disable-internal-agent', 'id'),
  'be root in a namespace of its own': () => started('unshare', '-Ur', 'cat', '/etc/shadow'),
  'mount over the host': () => started('mount', '--bind', own, '/etc'),
  'enter the namespaces of root': () => started('nsenter', '-t', victim, '-m', 'id'),
  'change the firewall': () => started('nft', 'add', 'table', 'inet', 'fairlead-attack'),
  'start a service': () => started('systemd-run', '--wait', 'id'),
  'write what every program loads': () => fs.appendFileSync('/etc/ld.so.preload', ''),
  'write who root is': () => fs.appendFileSync('/etc/passwd', ''),
  'write who may become root': () => fs.writeFileSync('/etc/sudoers.d/fairlead-attack', ''),
  'write how a login is checked': () => fs.appendFileSync('/etc/pam.d/su', ''),
  'write what every shell reads': () => fs.writeFileSync('/etc/profile.d/fairlead-attack.sh', ''),
  'write the jobs of root': () => fs.writeFileSync('/var/spool/cron/crontabs/root', ''),
  'write a program of everybody': () => fs.writeFileSync('/usr/local/bin/fairlead-attack', ''),
  'write what loads modules': () => fs.writeFileSync('/proc/sys/kernel/modprobe', '/x'),
  'write what ends a control group': () => fs.writeFileSync('/sys/fs/cgroup/release_agent', '/x'),
  'give orders to the kernel': () => fs.writeFileSync('/proc/sysrq-trigger', 'h'),
  'read the memory of the machine': () => fs.openSync('/dev/mem', 'r'),
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
