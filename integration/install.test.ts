import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { ensureBaseImage } from '#cli/demo/base-image.ts'
import { LOOPBACK_NAMES, selfSignedCertificate } from '#cli/demo/certificate.ts'
import { type GitServer, startGitServer } from '#cli/demo/git-server.ts'
import { ATTACK, HARMLESS, waysOut } from './world/attack.ts'
import { command, mustRun } from './world/command.ts'
import { openGateway } from './world/gateway.ts'
import { type IncusHost, startIncus, whyNoIncus } from './world/incus.ts'
import { awaited } from './world/outcome.ts'
import { unpackedPackage } from './world/package.ts'
import { openRemote } from './world/system.ts'
import { whyNoSystemd } from './world/systemd-image.ts'
import { type SystemdMachine, startMachine } from './world/systemd-machine.ts'

/** What deploy/install.sh makes of a machine, under a real systemd: three services, and all that may happen to them. */
const stack = new AsyncDisposableStack()
const skip = (await whyNoIncus()) ?? (await whyNoSystemd()) ?? false
const PARTS = ['manager', 'worker', 'guardian'] as const
const AGENTS = ['box', 'box-guardian']
/** As `systemd-analyze security` says it, from 0 (shut) to 10 (open). */
const MOST_EXPOSED = { manager: 1.5, worker: 2, guardian: 2 }
const CAP_NET_ADMIN = '0000000000001000'
const NONE = '0000000000000000'
const ACCOUNT = { username: 'ada', password: 'a-password-of-the-test' }
const INSTALL = '/root/package/deploy/install.sh'
const KEPT = ['--modules', '/opt/fairlead/node_modules']
let incus: IncusHost
let machine: SystemdMachine
let git: GitServer
let url: string
let proxy: string
let isLost = false

before(async () => {
  if (skip !== false) {
    process.stderr.write(`SKIPPED: everything about services of systemd: ${skip}\n`)
    return
  }
  incus = await startIncus(stack, '6GiB')
  const {
    folder,
    wire: { hostIp },
  } = incus
  const certificate = await selfSignedCertificate([hostIp, ...LOOPBACK_NAMES])
  const known = join(await npmConfig('cache'), '_cacache')
  await mkdir(known, { recursive: true })
  const [unpacked, made] = await Promise.all([
    unpackedPackage(folder),
    startMachine(incus, { '/mnt/npm/_cacache': known }),
  ])
  machine = made
  git = await startGitServer({ folder: join(folder, 'git'), certificate, ...ACCOUNT })
  stack.defer(git.close)
  url = git.url('shop').replace('127.0.0.1', hostIp)
  ;({ proxy } = await openGateway(stack, hostIp, [Number(new URL(url).port)]))
  const packed = join(folder, 'package.tar')
  await mustRun('tar', ['-C', join(unpacked, '..'), '-cf', packed, 'package'], { folder })
  await machine.sh('tar -C /root -xf -', { input: await readFile(packed) })
})

after(() => stack.disposeAsync())

step('install.sh brings the packages with npm and starts what can serve', async t => {
  const words = ['--manager', '--worker', '--guardian', '--yes']
  const env = {
    npm_config_registry: await npmConfig('registry'),
    npm_config_cafile: '/etc/ssl/certs/ca-certificates.crt',
    npm_config_https_proxy: proxy,
    // What this machine has fetched before is not fetched again.
    npm_config_prefer_offline: 'true',
  }
  await machine.sh('cp -r /mnt/npm /root/.npm')
  const began = performance.now()
  const { code, stdout, stderr } = await machine.run([INSTALL, ...words], { env })
  equal(code, 0, stderr)
  t.diagnostic(`installed in ${Math.round(performance.now() - began)} ms`)
  match(stdout, /fairlead hosts add --guardian, where the manager is, prints what enrols this guardian/)
  const states = await machine.run(['systemctl', 'is-active', ...PARTS.map(part => `fairlead-${part}`)])
  deepEqual(states.stdout.trim().split('\n'), ['active', 'inactive', 'inactive'])
  const enabled = await machine.sh('systemctl is-enabled fairlead-manager fairlead-worker fairlead-guardian')
  deepEqual(new Set(enabled.trim().split('\n')), new Set(['enabled']))
  match(await machine.sh('curl -fsS http://127.0.0.1:7400/health/ready'), /"ok":true/)
  match(
    await machine.sh('fairlead people first'),
    /Open http:\/\/127\.0\.0\.1:7400\/first-start and type in \S+/,
  )
  await nothingFailed()
})

step('the printed line enrols the services of the host, and starts them', async () => {
  await enrol('fairlead hosts add --name box')
  await enrol('fairlead hosts add --guardian --name box-guardian')
  await online()
  equal((await machine.run(['find', '/root', '-name', 'peers.json'])).stdout, '')
  const stranger = ['setpriv', '--reuid=nobody', '--clear-groups', 'fairlead', 'worker', 'join', 'FLD1.x.y.z']
  const { code, stderr } = await machine.run(stranger)
  deepEqual([code, stderr.includes('sudo fairlead worker join')], [77, true], stderr)
  match(await machine.sh('fairlead manager identity'), /"keyId"/)
})

for (const part of PARTS) {
  step(`T15 the hardening of the ${part} is in force`, async t => {
    const said = await machine.sh(`systemd-analyze security --no-pager fairlead-${part} | tail -n 1`)
    const [, exposed = '10'] = /: ([\d.]+) /.exec(said) ?? []
    t.diagnostic(`exposure ${exposed}`)
    ok(Number(exposed) <= MOST_EXPOSED[part], said)
    const pid = await pidOf(part)
    const status = await machine.sh(`cat /proc/${pid}/status`)
    const of = (key: string) => new RegExp(`^${key}:\\s+(.*)$`, 'm').exec(status)?.[1]
    const most = part === 'guardian' ? CAP_NET_ADMIN : NONE
    deepEqual([of('NoNewPrivs'), of('Seccomp'), of('CapBnd'), of('CapEff')], ['1', '2', most, most])
    const user = (await machine.sh(`id -u fairlead-${part}`)).trim()
    equal(of('Uid'), [user, user, user, user].join('\t'))
    const mounts = await machine.sh(`cut -d' ' -f5,6 /proc/${pid}/mountinfo`)
    match(mounts, /^\/ ro,/m)
    match(mounts, /^\/home ro,/m)
    match(mounts, new RegExp(`^/var/lib/fairlead-${part}(/${part})? rw,`, 'm'))
  })
}

step(
  'T15 code in the manager finds no known way out of the sandbox of its unit; root finds them',
  async () => {
    await machine.sh('cat >/opt/fairlead/attack.mjs', { input: await readFile(ATTACK) })
    const worker = '/var/lib/fairlead-worker/worker/identity.json'
    await machine.sh(`test -s ${worker}`)
    const unit = await machine.sh('systemctl cat fairlead-manager')
    const [, start = ''] = /^ExecStart=(.*)$/m.exec(unit) ?? []
    const words = `/opt/fairlead/attack.mjs /var/lib/fairlead-manager/manager ${worker} 1`
    const exact = start.replace(/\S+$/, words)
    deepEqual(waysOut(await attackedBy(exact)), [])
    const isOwn = [...HARMLESS, 'leave its folder']
    const byUnit = waysOut(await attackedBy(exact.replaceAll(/ --(?:permission|allow-\S+)/g, '')))
    deepEqual(
      byUnit.filter(what => !isOwn.includes(what)),
      [],
    )
    await machine.sh('cd /var/lib/fairlead-manager && rm -f attack manager/key manager/shadow')
    const found = waysOut(await machine.sh(ATTACK_OF_ROOT))
    for (const what of [
      'reach the Docker engine',
      'read the shadow file',
      "read the worker's key",
      'write a unit',
    ]) {
      ok(found.includes(what), `${what}: ${found}`)
    }
    await nothingFailed()
  },
)

step('a pushed app is deployed, and the guardian opens only the port that is to be open', async () => {
  await ensureBaseImage({ name: 'base:1', socketPath: machine.path('/run/docker.sock') })
  await git.createRepository('shop')
  const repository = join(git.repositoriesFolder, 'shop.git')
  const env = { GIT_SSL_CAINFO: git.caFile }
  const address = new URL(git.url('shop'))
  Object.assign(address, ACCOUNT)
  const remote = await openRemote(join(incus.folder, 'work'), {
    name: 'shop',
    url: address.href,
    env,
    repository,
  })
  await remote.push({
    Dockerfile: 'FROM base:1\nCOPY page /srv/index.html\nCMD ["httpd", "-f", "-p", "8080", "-h", "/srv"]\n',
    page: 'one\n',
    'fairlead.yaml': DEPLOY_FILE,
  })
  const network = incus.wire.hostIp.replace(/\.\d+$/, '.0/24')
  await machine.sh(`
    printf 'mode: enforce\\nallowPrivate: [${network}]\\n' >/etc/fairlead/policy.yaml
    echo 'FAIRLEAD_ALLOW_PRIVATE=${network}' >>/etc/fairlead/manager.env
    systemctl restart fairlead-manager fairlead-worker`)
  await machine.sh('cat >/root/ca.pem', { input: await readFile(git.caFile) })
  await online()
  await machine.sh('fairlead firewall guard box box-guardian')
  const add = `fairlead repositories add shop ${url} --username ${ACCOUNT.username} --ca /root/ca.pem --poll 0`
  await machine.sh(add, { input: `${ACCOUNT.password}\n` })
  await machine.sh('fairlead deploy shop --wait')
  await serves('one')
  equal((await machine.sh('curl -fsS http://127.0.0.1:8081/')).trim(), 'one')
  equal(await fromOutside(8081), undefined)
})

for (const part of PARTS) {
  step(`the ${part} is back after it was killed`, async () => {
    const before = await pidOf(part)
    await machine.sh(`systemctl kill --signal=KILL --kill-whom=main fairlead-${part}`)
    await awaited(async () => (![before, '0'].includes(await pidOf(part)) ? true : undefined))
    await online()
    await serves('one')
  })
}

step('everything is back after a restart of the machine, the firewall first of all', async () => {
  await machine.restart()
  await online()
  await serves('one')
  equal(await fromOutside(8081), undefined)
  await nothingFailed()
})

step("T15 what root does for the manager follows no link of the manager's user", async () => {
  const asUser = (script: string) =>
    machine.sh(`cd /var/lib/fairlead-manager/manager
      setpriv --reuid=fairlead-manager --regid=fairlead-manager --clear-groups sh -ec '${script}'`)
  const recipient = (await machine.sh('fairlead backup key /root/backup.key')).trim()
  const make = (file: string) => machine.run(['fairlead', 'backup', 'create', file, '--recipient', recipient])
  await asUser(`mv admin-token kept
    ln -s /root/backup.key admin-token
    ln -sf /etc/planted backup.lock`)
  const [made, asked] = [await make('/root/linked.age'), await machine.run(['fairlead', 'hosts'])]
  deepEqual([made.code === 0, asked.code === 0], [false, false], made.stdout + asked.stdout)
  await machine.sh('test ! -e /etc/planted; ! ls /root/linked.age*')
  await asUser('rm backup.lock; mv kept admin-token')
  equal((await make('/root/well.age')).code, 0)
  equal((await machine.sh('stat -c "%U %a" /root/well.age')).trim(), 'root 600')
})

step('the manager reads a file beside its settings that one of them names', async () => {
  await machine.sh(
    `cd /etc/fairlead
    cp -p manager.env /root/
    printf 'FAIRLEAD_REGISTRY%s\\n' =registry.example.org _USERNAME=u _PASSWORD_FILE=/etc/fairlead/word >>manager.env
    printf secret >word; chgrp fairlead-manager word; chmod 0640 word
    systemctl restart fairlead-manager`,
  )
  await online()
  await machine.sh('cp -p /root/manager.env /etc/fairlead/; systemctl restart fairlead-manager')
  await online()
})

step('an upgrade backs up, agents go on, and an older package is refused', async t => {
  await setVersion('0.9.0')
  const began = performance.now()
  const { code, stdout, stderr } = await machine.run([INSTALL, '--manager', '--yes', ...KEPT])
  equal(code, 0, stderr)
  t.diagnostic(`upgraded in ${Math.round(performance.now() - began)} ms`)
  const [, backup = ''] = /backed up the manager: (\S+)/.exec(stdout) ?? []
  match(backup, /^\/var\/backups\/fairlead\/manager-0\.1\.0-/)
  equal((await machine.sh('fairlead --version')).trim(), '0.9.0')
  await online()
  await serves('one')
  await setVersion('0.1.0')
  const older = await machine.run([INSTALL, '--manager', '--yes', ...KEPT])
  deepEqual([older.code, older.stderr.includes('this is the older 0.1.0')], [1, true], older.stderr)
  // As docs/backup.md says.
  await machine.sh(`
    systemctl stop fairlead-manager
    mv /var/lib/fairlead-manager/manager /var/lib/fairlead-manager/manager.old
    fairlead restore ${backup} --identity /etc/fairlead/backup.key --since /var/lib/fairlead-manager/manager.old
    cp -p /var/lib/fairlead-manager/manager.old/admin-token /var/lib/fairlead-manager/manager/
    systemctl start fairlead-manager`)
  await online()
  equal(await machine.sh('find /var/lib/fairlead-manager/manager ! -user fairlead-manager'), '')
})

step(
  'uninstall leaves what it says: data, settings and apps; with --purge only backups and apps',
  async () => {
    const gone = await machine.sh(`${INSTALL} uninstall --yes`)
    match(gone, /leave the firewall as it is until this machine restarts/)
    equal((await machine.sh('systemctl list-unit-files --no-legend "fairlead*" || true')).trim(), '')
    equal(
      (await machine.run(['pgrep', '-u', 'fairlead-manager,fairlead-worker,fairlead-guardian'])).stdout,
      '',
    )
    await machine.sh(
      'test ! -e /opt/fairlead -a ! -L /usr/local/bin/fairlead -a -s /etc/fairlead/manager.env',
    )
    await machine.sh('test -s /var/lib/fairlead-manager/manager/fairlead.db')
    await serves('one')
    await machine.sh(`${INSTALL} uninstall --purge --yes`)
    await machine.sh('test ! -e /var/lib/fairlead-worker -a ! -e /etc/fairlead -a -d /var/backups/fairlead')
    equal((await machine.run(['getent', 'passwd', 'fairlead-worker'])).stdout, '')
    await serves('one')
  },
)

const DEPLOY_FILE = `
version: 1
apps:
  shop:
    target: container
    port: 8080
    domains: []
    ports:
      - { host: 8080, container: 8080, open: true }
      - { host: 8081, container: 8080 }
`

/** Of the machine without any sandbox. What it mounts, only it sees; what else it changes is mended. */
const ATTACK_OF_ROOT = `
  mkdir -p /root/attack/own
  echo key >/root/attack/key
  systemd-run --quiet --unit=victim sh -c 'trap "" USR1; exec sleep 600'
  victim=$(systemctl show --property=MainPID --value victim)
  node=/opt/fairlead/node_modules/node/bin/node
  systemd-run --quiet --wait --pipe --property=PrivateMounts=yes \
    $node /opt/fairlead/attack.mjs /root/attack/own /root/attack/key $victim
  systemctl stop victim
  nft delete table inet fairlead-attack 2>/dev/null || true
  rm -rf /root/attack /opt/fairlead/attack.mjs
  find /etc -name 'fairlead-attack*' -delete
  systemctl daemon-reload`

/** What is printed by a service that has everything of the manager's but what it starts. */
async function attackedBy(start: string): Promise<string> {
  const input = `[Service]
Type=oneshot
Restart=no
ExecStart=
ExecStart=${start}
StandardOutput=truncate:/run/attack
`
  return await machine.sh(
    `cp "$(systemctl show --property=FragmentPath --value fairlead-manager)" /run/systemd/system/attack.service
    mkdir -p /run/systemd/system/attack.service.d
    cat >/run/systemd/system/attack.service.d/once.conf
    systemctl daemon-reload
    systemctl start attack
    rm -r /run/systemd/system/attack.service*
    systemctl daemon-reload
    cat /run/attack`,
    { input },
  )
}

/** Each begins where the one before has ended. */
function step(title: string, act: (t: TestContext) => Promise<void>): void {
  test(title, { skip }, async t => {
    if (isLost) {
      t.skip('NOT REACHED: a step before this one failed')
      return
    }
    isLost = true
    await act(t)
    isLost = false
  })
}

/** Runs what the manager prints for a new host, word by word. */
async function enrol(asking: string): Promise<void> {
  const [, line = ''] = /^ {2}(fairlead .*)$/m.exec(await machine.sh(asking)) ?? []
  await machine.sh(line)
}

async function online(): Promise<void> {
  await awaited(async () => {
    const { stdout } = await machine.run(['fairlead', 'hosts', '--json'])
    const { items = [] } =
      stdout === '' ? {} : (JSON.parse(stdout) as { items?: { name: string; online: boolean }[] })
    const there = items.filter(host => host.online).map(({ name }) => name)
    return AGENTS.every(name => there.includes(name)) ? true : undefined
  })
}

async function pidOf(part: string): Promise<string> {
  return (await machine.sh(`systemctl show --property=MainPID --value fairlead-${part}`)).trim()
}

/** As the user who runs the tests has it. */
async function npmConfig(name: string): Promise<string> {
  return (await mustRun('npm', ['config', 'get', name], { folder: '/', env: { HOME: homedir() } })).trim()
}

async function nothingFailed(): Promise<void> {
  equal(await machine.sh('systemctl list-units --failed --no-legend'), '')
}

async function serves(page: string): Promise<void> {
  await awaited(async () => ((await fromOutside(8080)) === page ? true : undefined))
}

/** What a neighbour of the machine gets at this port; undefined: nothing. */
async function fromOutside(port: number): Promise<string | undefined> {
  const words = [
    `--net=${incus.namespace}`,
    'curl',
    '-fsS',
    '--max-time',
    '3',
    `http://${machine.ip}:${port}/`,
  ]
  const { code, stdout } = await command('nsenter', words, { folder: '/' })
  return code === 0 ? stdout.trim() : undefined
}

async function setVersion(version: string): Promise<void> {
  await machine.sh(`sed -i 's/^  "version": .*/  "version": "${version}",/' /root/package/package.json`)
}
