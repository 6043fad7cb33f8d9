import { deepEqual, equal, notEqual } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { COMMANDS } from './commands/index.ts'

const PROGRAM = join(import.meta.dirname, '../../bin/fairlead')
const ID = '0199aaaa-0000-7000-8000-000000000000'

/** What is asked of each command; nothing of it needs a manager to have an answer, and nothing starts. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  demo: ['--unknown'],
  up: ['--port', 'http'],
  init: ['.'],
  check: ['.'],
  plan: ['shop'],
  deploy: ['shop'],
  open: ['churn'],
  rollback: ['shop'],
  releases: ['shop'],
  artifacts: ['list'],
  notebooks: ['list'],
  approve: [ID],
  cancel: [ID],
  result: ['--repository', 'infra', '--commit', 'a'.repeat(40)],
  status: [],
  doctor: [],
  logs: ['shop'],
  apps: ['list'],
  secrets: ['list', 'shop'],
  repositories: ['list'],
  notifications: ['list'],
  organisations: ['list'],
  stacks: ['list'],
  systems: ['list'],
  hosts: ['list'],
  firewall: ['list'],
  registry: ['status'],
  trusts: ['list'],
  login: [],
  logout: [],
  whoami: [],
  providers: ['list'],
  people: ['list'],
  projects: ['list'],
  tokens: ['list'],
  audit: ['list'],
  'deploy-secret': ['media'],
  backup: ['create', '/nowhere/one.age', '--recipient', 'age1'],
  restore: ['/nowhere/one.age', '--nothing-revoked', '--passphrase-file', '/etc/hostname'],
  manager: ['identity'],
  worker: ['init'],
  guardian: ['init'],
  completion: ['bash'],
}

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fairlead-json-'))
})
after(() => rm(folder, { recursive: true, force: true }))

test('every command is asked below', () => {
  deepEqual(COMMANDS.map(({ name }) => name).sort(), Object.keys(WORDS).sort())
})

for (const [name, words] of Object.entries(WORDS)) {
  test(`${name} --json prints JSON and nothing else, whether it works or not`, async () => {
    const { code, out } = await fairlead(name, ...words, '--json')
    notEqual(out.trim(), '')
    const [answer] = documentsOf(out)
    equal(code !== 0, 'error' in answer, out)
  })
}

/** One document, or one on each line. */
function documentsOf(out: string): [object, ...object[]] {
  try {
    return [JSON.parse(out)]
  } catch {
    return out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line)) as [object]
  }
}

async function fairlead(...words: string[]): Promise<{ code: number | null; out: string }> {
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: folder,
    FAIRLEAD_MANAGER: 'http://127.0.0.1:1',
    FAIRLEAD_TOKEN: 'flt_x',
    FAIRLEAD_DATA: join(folder, 'data'),
  }
  const child = spawn(PROGRAM, words, { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const [[code], out] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  return { code: code as number | null, out }
}
