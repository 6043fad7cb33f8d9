import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { freePort } from '#cli/demo/free-port.ts'
import { type CommandResult, command, mustRun } from './world/command.ts'
import { awaited } from './world/outcome.ts'
import { packagesIn, unpackedPackage } from './world/package.ts'
import { mountSmallDisk } from './world/small-disk.ts'
import { temporaryFolder } from './world/temporary-folder.ts'
import { until } from './world/traces.ts'

/** What npm would publish, as a stranger gets it: installed in a folder, on a machine, as an image. */
const stack = new AsyncDisposableStack()
const NAME = `fairlead-package-${process.pid}`
let folder: string
let unpacked: string

before(async () => {
  folder = await temporaryFolder(stack)
  // Other users look into it.
  await chmod(folder, 0o755)
  unpacked = await unpackedPackage(folder)
})
after(() => stack.disposeAsync())

test('the package, installed into an empty folder, starts a manager that shows its web interface', async t => {
  const modules = await packagesIn(join(folder, 'own/node_modules'))
  await mustRun('cp', ['-R', unpacked, join(modules, 'fairlead')], { folder })
  const program = join(modules, 'fairlead/bin/fairlead')
  const { version } = JSON.parse(await readFile(join(unpacked, 'package.json'), 'utf8')) as {
    version: string
  }
  equal((await mustRun(program, ['--version'], { folder })).trim(), version)
  match(await mustRun(program, ['up', '--help'], { folder }), /starts manager and worker/)
  const port = await freePort()
  const env = { HOME: folder, FAIRLEAD_DATA: join(folder, 'data'), FAIRLEAD_LISTEN: `127.0.0.1:${port}` }
  const manager = started(t, spawn(program, ['manager'], { env: { PATH: process.env.PATH, ...env } }))
  await ready(port, manager)
  const page = await fetch(`http://127.0.0.1:${port}/`, { headers: { accept: 'text/html' } })
  match(await page.text(), /<script type="module"/)
})

test('install.sh installs, upgrades after a backup, refuses to go back, and removes; data and settings stay', async t => {
  const disk = process.getuid?.() === 0 ? await mountSmallDisk(stack, 2048) : undefined
  const machine = disk && (await ownMachine(disk.folder))
  if (!machine) {
    t.skip('NOT RUN: only root can make a machine of its own to install on')
    return
  }
  const { upper, inside } = machine
  const modules = await packagesIn(join(folder, 'modules'))
  const words = ['--manager', '--worker', '--guardian', '--no-start', '--modules', modules]
  const install = (...more: string[]) => inside(join(unpacked, 'deploy/install.sh'), ...more)
  await inside('groupadd', '--force', 'docker')
  const before = await readdir(upper)

  const planned = await install(...words, '--dry-run')
  equal(planned.code, 0, planned.stderr)
  match(planned.stdout, /add the service fairlead-guardian/)
  deepEqual(await readdir(upper), before)
  equal((await install(...words)).code, 1, 'nobody can be asked')
  equal((await install('--worker', '--no-start', '--modules', folder, '--yes')).code, 1, 'no packages there')
  ok(!existsSync(join(upper, 'opt')))

  const first = await install(...words, '--yes')
  equal(first.code, 0, first.stderr)
  const settings = await stat(join(upper, 'etc/fairlead/manager.env'))
  equal(settings.mode & 0o777, 0o640)
  match(await readFile(join(upper, 'etc/fairlead/policy.yaml'), 'utf8'), /^mode: enforce$/m)
  await servesOnce(t, machine)

  await setVersion('0.9.0')
  await writeFile(join(upper, 'etc/fairlead/manager.env'), '# of a person\n')
  const second = await install(...words, '--yes')
  equal(second.code, 0, second.stderr)
  const [backup = ''] = await readdir(join(upper, 'var/backups/fairlead'))
  match(backup, /^manager-0\.1\.0-\d{8}T\d{6}Z\.age$/)
  const identity = ['--identity', '/etc/fairlead/backup.key']
  const verified = await inside(
    'fairlead',
    'backup',
    'verify',
    `/var/backups/fairlead/${backup}`,
    ...identity,
  )
  equal(verified.code, 0, verified.stderr)
  equal(await readFile(join(upper, 'etc/fairlead/manager.env'), 'utf8'), '# of a person\n')
  // Once more, as after a start that failed: the way back leads to the version before, not to this one.
  const repeated = await install(...words, '--yes')
  equal(repeated.code, 0, repeated.stderr)
  const previous = await readFile(join(upper, 'opt/fairlead.previous/package.json'), 'utf8')
  equal(JSON.parse(previous).version, '0.1.0')
  await servesOnce(t, machine)

  await setVersion('0.1.0')
  const back = await install(...words, '--yes')
  equal(back.code, 1)
  match(back.stderr, /0\.9\.0 is installed, and this is the older 0\.1\.0/)
  await setVersion('0.9.1')
  const database = '/var/lib/fairlead-manager/manager/fairlead.db'
  const newer = `new (require('node:sqlite').DatabaseSync)('${database}').exec("insert into migrations values ('9999-later', 1)")`
  await inside('/opt/fairlead/node_modules/node/bin/node', '-e', newer)
  const refused = await install(...words, '--yes')
  equal(refused.code, 1)
  match(refused.stderr, /made by a newer Fairlead/)
  ok(!existsSync(join(upper, 'opt/fairlead.new')))

  equal((await install('uninstall', '--no-start', '--yes')).code, 0)
  ok(!existsSync(join(upper, 'opt/fairlead')))
  ok(existsSync(join(upper, database)))
  // As docs/running.md says under "Back to the version before".
  await setVersion('0.1.0')
  await inside('mv', '/var/lib/fairlead-manager/manager', '/var/lib/fairlead-manager/manager.newer')
  equal((await install(...words, '--yes')).code, 0)
  const restoring = ['restore', `/var/backups/fairlead/${backup}`, ...identity, '--nothing-revoked']
  const restored = await inside('fairlead', ...restoring)
  equal(restored.code, 0, restored.stderr)
  await servesOnce(t, machine)
  const purged = await install('uninstall', '--purge', '--no-start', '--yes')
  equal(purged.code, 0, purged.stderr)
  match(purged.stdout, /without a copy of it, nothing opens the backups in \/var\/backups\/fairlead/)
  ok(!existsSync(join(upper, 'var/lib/fairlead-manager')))
  ok(existsSync(join(upper, 'var/backups/fairlead', backup)))
})

test('T15 compose.yaml runs the manager as nobody in particular, without rights, and a worker of the host obeys it', async t => {
  const version = `test-${process.pid}`
  const image = `fairlead-manager:${version}`
  const port = String(await freePort())
  const url = `http://127.0.0.1:${port}`
  const settings = { VERSION: version, PORT: port, PUBLIC_URL: url, OBSERVE_SECONDS: 17 }
  const lines = Object.entries(settings).map(([name, value]) => `FAIRLEAD_${name}=${value}\n`)
  await writeFile(join(unpacked, 'deploy/.env'), lines.join(''))
  const docker = (...words: string[]) => mustRun('docker', words, { folder, timeoutMs: 300_000 })
  const compose = (...words: string[]) =>
    docker('compose', '--project-name', NAME, '--file', join(unpacked, 'deploy/compose.yaml'), ...words)
  t.after(async () => {
    await compose('down', '--volumes', '--timeout', '1')
    await command('docker', ['rmi', '--force', image, `${NAME}-base:1`], { folder })
  })
  await importImage(await nodeTree(join(folder, 'base')))
  // Nothing is fetched: the bundles hold what a manager needs to serve.
  await mkdir(join(unpacked, 'node_modules'))
  await docker('build', '--tag', image, '--build-arg', `BASE=${NAME}-base:1`, unpacked)
  await compose('up', '--detach', '--no-build')
  const container = (await compose('ps', '--quiet', 'manager')).trim()
  const inspect = async (what: string) => (await docker('inspect', '--format', what, container)).trim()
  equal(await inspect('{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}'), 'true [ALL]')
  const write = `require('node:fs').writeFileSync('/opt/fairlead/x', '')`
  const tried = await command('docker', ['exec', container, 'node', '-e', write], { folder })
  match(tried.stderr, /EROFS/)
  const status = await readFile(`/proc/${await inspect('{{.State.Pid}}')}/status`, 'utf8')
  match(status, /^CapEff:\s+0+$/m)
  match(status, /^NoNewPrivs:\s+1$/m)
  equal((await docker('exec', container, 'node', '-p', 'process.getuid()')).trim(), '10001')
  const observed = await docker('exec', container, 'node', '-p', 'process.env.FAIRLEAD_OBSERVE_SECONDS')
  equal(observed.trim(), '17', 'every setting of .env reaches the manager')

  const token = await awaited(async () => {
    const log = await compose('logs', '--no-log-prefix', 'manager')
    return /"token":"([^"]+)"/.exec(log)?.[1]
  })
  const program = join(import.meta.dirname, '../bin/fairlead')
  const asking = { folder, env: { FAIRLEAD_TOKEN: token, FAIRLEAD_MANAGER: url } }
  const printed = await mustRun(program, ['hosts', 'add', '--name', 'box'], asking)
  const [, line = ''] = /^ {2}\S*fairlead (worker join .*)$/m.exec(printed) ?? []
  // Where containers find the host.
  const host = (await docker('network', 'inspect', '--format', GATEWAY, `${NAME}_default`)).trim()
  const worker = {
    HOME: folder,
    FAIRLEAD_DATA: join(folder, 'worker-of-image'),
    FAIRLEAD_WORKER_LISTEN: `${host}:${await freePort()}`,
  }
  await mustRun(program, line.split(' '), { folder, env: worker })
  started(t, spawn(program, ['worker'], { env: { PATH: process.env.PATH, ...worker } }))
  const hasHost = async () => {
    const { items } = JSON.parse(await mustRun(program, ['hosts', '--json'], asking)) as {
      items: { name: string; online: boolean }[]
    }
    return items.some(({ name, online }) => name === 'box' && online)
  }
  await until('the manager has the host', hasHost)
  await until('it is healthy', async () => (await inspect('{{.State.Health.Status}}')) === 'healthy')

  // As docs/backup.md says.
  const key = join(folder, 'container.key')
  const recipient = (await mustRun(program, ['backup', 'key', key], { folder })).trim()
  const inside = ['exec', '-T', 'manager', 'node', '/opt/fairlead/dist/cli/cli.js', 'backup', 'create']
  await compose(...inside, '/var/lib/fairlead-manager/manager/backup.age', '--recipient', recipient)
  const file = join(folder, 'container.age')
  await compose('cp', 'manager:/var/lib/fairlead-manager/manager/backup.age', file)
  await mustRun(program, ['backup', 'verify', file, '--identity', key], { folder })
  const removed = `fs.rmSync('/var/lib/fairlead-manager/manager/backup.age')`
  await compose('exec', '-T', 'manager', 'node', '-e', removed)

  const fed = async (from: string, ...words: string[]) => {
    const all = ['compose', '--project-name', NAME, '--file', join(unpacked, 'deploy/compose.yaml'), ...words]
    await mustRun('sh', ['-c', 'from=$1; shift; exec docker "$@" < "$from"', 'sh', from, ...all], { folder })
  }
  const alone = ['run', '--rm', '-T', '--entrypoint', 'node', 'manager']
  await compose('stop', 'manager')
  const written = 'process.stdin.pipe(fs.createWriteStream("monday.age", { mode: 0o600 }))'
  await fed(file, ...alone, '-e', `fs.renameSync("manager", "manager.old"); ${written}`)
  const since = ['--since', '/var/lib/fairlead-manager/manager.old']
  const restoring = ['restore', 'monday.age', '--identity', '/dev/stdin', ...since]
  await fed(key, ...alone, '/opt/fairlead/dist/cli/cli.js', ...restoring)
  await compose('up', '--detach', '--no-build')
  await until('the manager that was restored has the host', async () => {
    const { code, stdout } = await command(program, ['audit', '--json'], asking)
    return code === 0 && /"action":\s*"restore"/.test(stdout) && (await hasHost())
  })
  await compose('exec', '-T', 'manager', 'node', '-e', 'fs.rmSync("monday.age")')
})

const GATEWAY = '{{range .IPAM.Config}}{{.Gateway}}{{end}}'

async function setVersion(version: string): Promise<void> {
  const file = join(unpacked, 'package.json')
  await writeFile(
    file,
    (await readFile(file, 'utf8')).replace(/^ {2}"version": "[^"]*"/m, `  "version": "${version}"`),
  )
}

interface Machine {
  /** What was written on it. */
  readonly upper: string
  inside(...words: readonly string[]): Promise<CommandResult>
  start(...words: readonly string[]): ChildProcess
}

const ENTER =
  'mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root" && mount --bind /dev "$1/root/dev" && mount -t proc proc "$1/root/proc" && cd "$1/root" && shift && exec chroot . "$@"'

/** This machine, of which a copy gets what is written; undefined where there is no overlay file system. */
async function ownMachine(disk: string): Promise<Machine | undefined> {
  for (const name of ['upper', 'work', 'root']) {
    await mkdir(join(disk, name))
  }
  const words = ['--mount', '--propagation', 'private', '--', 'sh', '-c', ENTER, 'enter', disk]
  const env = { HOME: '/root', TERM: 'dumb' }
  const inside = async (...more: readonly string[]) =>
    await command('unshare', [...words, ...more], { folder: '/', env, timeoutMs: 300_000 })
  const start = (...more: readonly string[]) =>
    spawn('unshare', [...words, ...more], { env: { PATH: process.env.PATH } })
  return (await inside('true')).code === 0 ? { upper: join(disk, 'upper'), inside, start } : undefined
}

/** The manager as its unit says, without what only systemd can do. */
async function servesOnce(t: TestContext, { upper, start }: Machine): Promise<void> {
  const unit = await readFile(join(upper, 'etc/systemd/system/fairlead-manager.service'), 'utf8')
  const [, line = ''] = /^ExecStart=(.*)$/m.exec(unit) ?? []
  const port = await freePort()
  const user = [
    '--reuid',
    'fairlead-manager',
    '--regid',
    'fairlead-manager',
    '--clear-groups',
    '--no-new-privs',
  ]
  const env = ['FAIRLEAD_DATA=/var/lib/fairlead-manager', `FAIRLEAD_LISTEN=127.0.0.1:${port}`]
  const manager = started(t, start('setpriv', ...user, 'env', '-i', ...env, ...line.split(' ')))
  await ready(port, manager)
  manager.child.kill('SIGTERM')
  await manager.ended
}

interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<unknown>
  readonly said: () => string
}

function started(t: TestContext, child: ChildProcess): Started {
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', chunk => {
      said += chunk
    })
  }
  const ended = once(child, 'close')
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await ended
    }
  })
  return { child, ended, said: () => said }
}

async function ready(port: number, { child, said }: Started): Promise<void> {
  await until('the manager is ready', async () => {
    equal(child.exitCode, null, said())
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined)
    return answer?.status === 200
  })
}

/** Node and what it is linked with, from this machine. */
async function nodeTree(tree: string): Promise<string> {
  const bin = join(tree, 'usr/local/bin')
  await mkdir(bin, { recursive: true })
  await mustRun('cp', [process.execPath, join(bin, 'node')], { folder })
  const linked = await mustRun('ldd', [process.execPath], { folder })
  for (const [, file = ''] of linked.matchAll(/(\/\S+) \(0x/g)) {
    await mkdir(join(tree, file, '..'), { recursive: true })
    await mustRun('cp', ['-L', file, join(tree, file)], { folder })
  }
  return tree
}

async function importImage(tree: string): Promise<void> {
  const file = `${tree}.tar`
  await mustRun('tar', ['-C', tree, '-cf', file, '.'], { folder })
  const path = 'ENV PATH=/usr/local/bin:/usr/bin:/bin'
  await mustRun('docker', ['import', '--change', path, file, `${NAME}-base:1`], {
    folder,
    timeoutMs: 120_000,
  })
}
