import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  accessSync,
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ATTACK, HARMLESS, waysOut } from './world/attack.ts'

const ROOT = join(import.meta.dirname, '..')
const UNITS = join(ROOT, 'deploy/systemd')
const NOBODY = 65_534
/** As `systemd-analyze security` counts: 0 is shut, 10 is open. */
const MOST_EXPOSED = { manager: 15, worker: 20, guardian: 20 } as const

type Part = keyof typeof MOST_EXPOSED
const PARTS = Object.keys(MOST_EXPOSED) as Part[]

for (const part of PARTS) {
  test(`T15 T16 the unit of the ${part} has the hardening that it is said to have`, () => {
    const unit = readUnit(part)
    for (const [key, value] of [
      ['User', `fairlead-${part}`],
      ['NoNewPrivileges', 'yes'],
      ['ProtectSystem', 'strict'],
      ['ProtectHome', 'yes'],
      ['PrivateTmp', 'yes'],
      ['SystemCallFilter', '@system-service'],
      ['CapabilityBoundingSet', part === 'guardian' ? 'CAP_NET_ADMIN' : ''],
      // What a worker or a guardian has started goes on without it.
      ['KillMode', part === 'manager' ? undefined : 'process'],
    ] as const) {
      assert.equal(unit.get(key)?.[0], value, key)
    }
    assert.deepEqual(unit.get('SupplementaryGroups'), part === 'worker' ? ['docker'] : undefined)
    const others = PARTS.filter(each => each !== part)
    for (const other of others) {
      assert.match(unit.get('InaccessiblePaths')?.[0] ?? '', new RegExp(`/var/lib/fairlead-${other}\\b`))
    }
  })

  test(`systemd-analyze finds the unit of the ${part} shut`, t => {
    const file = join(UNITS, `fairlead-${part}.service`)
    const threshold = `--threshold=${MOST_EXPOSED[part]}`
    const words = ['security', '--offline=true', '--no-pager', threshold, file]
    const { error, status, stdout, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8' })
    if (error || /unrecognized option|Unknown (?:operation|option)/.test(stderr)) {
      t.skip('NOT CHECKED: systemd-analyze of systemd 250 or newer is not here')
      return
    }
    assert.equal(status, 0, `${stdout.split('\n').slice(-3).join('')}${stderr}`)
  })
}

test('the manager may start no process, by its unit', () => {
  const [start = ''] = readUnit('manager').get('ExecStart') ?? []
  assert.match(start, / --permission /)
  assert.doesNotMatch(start, /--allow-(?:child-process|worker|addons|wasi|inspector)|allow-fs-\w+=\*/)
  assert.deepEqual(readUnit('manager').get('RestrictAddressFamilies'), ['AF_INET AF_INET6'])
})

test('T15 who can run code in the manager finds no known way to root or to Docker', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-attack-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const attacked = prepare(folder)
  const refusal = whyNot(attacked.program)
  if (refusal !== undefined) {
    t.skip(`NOT CHECKED: ${refusal}`)
    return
  }
  const both = attack(attacked, unitFlags(folder))
  const userAlone = attack(attacked, [])
  assert.deepEqual(both, [])
  // Even without the permission model the other user gets at nothing that is not its own.
  assert.deepEqual(
    userAlone.filter(what => !HARMLESS.includes(what)),
    [],
  )
})

interface Attacked {
  readonly program: string
  readonly own: string
  readonly workerKey: string
}

/** A folder as the manager has, and beside it one as the worker has, of another user. */
function prepare(folder: string): Attacked {
  chmodSync(folder, 0o755)
  const program = join(folder, 'attack.mjs')
  copyFileSync(ATTACK, program)
  chmodSync(program, 0o644)
  const own = join(folder, 'manager')
  mkdirSync(own, { mode: 0o700 })
  mkdirSync(join(folder, 'worker'), { mode: 0o700 })
  const workerKey = join(folder, 'worker/identity.key')
  writeFileSync(workerKey, 'key', { mode: 0o600 })
  if (process.getuid?.() === 0) {
    chownSync(own, NOBODY, NOBODY)
  }
  return { program, own, workerKey }
}

/** Those of the unit, for this folder. */
function unitFlags(folder: string): string[] {
  const [start = ''] = readUnit('manager').get('ExecStart') ?? []
  const flags = start.split(' ').filter(word => /^--(?:permission|allow-)/.test(word))
  return [
    ...flags.map(flag => flag.replace('/var/lib/fairlead-manager', folder).replace('/opt/fairlead', ROOT)),
    `--allow-fs-read=${join(folder, 'attack.mjs')}`,
  ]
}

function attack({ program, own, workerKey }: Attacked, flags: readonly string[]): readonly string[] {
  const words = [...flags, program, own, workerKey, String(process.pid)]
  const { stdout, stderr } = asNobody([process.execPath, ...words])
  assert.notEqual(stdout, '', stderr)
  return waysOut(stdout)
}

function whyNot(program: string): string | undefined {
  if (process.getuid?.() !== 0) {
    return 'only root can start a program as another user'
  }
  const { status, stderr, error } = asNobody([process.execPath, '--check', program])
  return status === 0 ? undefined : `another user cannot start Node: ${error?.message ?? stderr}`
}

function asNobody(words: readonly string[]) {
  accessSync(ROOT)
  const user = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups']
  const shut = ['--no-new-privs', '--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all']
  return spawnSync('setpriv', [...user, ...shut, ...words], {
    encoding: 'utf8',
    cwd: tmpdir(),
    env: {},
    timeout: 120_000,
  })
}

/** Keys of a unit, each with all its values. */
function readUnit(part: Part): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const line of readFileSync(join(UNITS, `fairlead-${part}.service`), 'utf8').split('\n')) {
    const [, key, value = ''] = /^(\w+)=(.*)$/.exec(line) ?? []
    if (key !== undefined) {
      found.set(key, [...(found.get(key) ?? []), value])
    }
  }
  return found
}
