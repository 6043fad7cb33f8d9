import { deepEqual, equal, match } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { COMMANDS } from './commands/index.ts'

const PROGRAM = join(import.meta.dirname, '../../bin/fairlead')

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fairlead-cli-'))
})
after(() => rm(folder, { recursive: true, force: true }))

/** The real program, with no manager to be found. */
async function fairlead(...words: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return await run(PROGRAM, words)
}

async function run(program: string, words: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: folder,
    FAIRLEAD_MANAGER: 'http://127.0.0.1:1',
    FAIRLEAD_TOKEN: 'flt_x',
    ...more,
  }
  const child = spawn(program, words, { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const [[code], out, err] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  return { code: code as number | null, out, err }
}

describe('help', () => {
  test('the list of commands documents the exit codes', async () => {
    const { code, out } = await fairlead('--help')
    equal(code, 0)
    for (const { name } of COMMANDS) {
      match(out, new RegExp(`^  ${name} `, 'm'))
    }
    match(
      out,
      /Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}3 .*\n {2}4 .*\n {2}5 .*\n {2}6 .*\n {2}7 .*\n {2}8 .*\n {2}78 /,
    )
  })

  for (const { name } of COMMANDS) {
    test(`of ${name} has examples`, async () => {
      const { code, out } = await fairlead(name, '--help')
      equal(code, 0)
      match(out, new RegExp(`Examples:\\n  \\$ .*fairlead ${name}`))
    })
  }

  test('the program is found through symbolic links', async () => {
    await symlink(PROGRAM, join(folder, 'linked'))
    await symlink('linked', join(folder, 'twice'))
    match((await run(join(folder, 'twice'), ['--version'])).out, /^\d+\.\d+\.\d+\n$/)
  })
})

describe('exit codes', () => {
  test('2: what was not understood, with the nearest word', async () => {
    const { code, err } = await fairlead('deplyo')
    equal(code, 2)
    match(err, /Did you mean deploy\?/)
    equal((await fairlead('deploy', '--nonsense')).code, 2)
    equal((await fairlead('apps', 'show')).code, 2)
  })

  test('2: as JSON for a program', async () => {
    const { code, out, err } = await fairlead('deploy', '--nonsense', '--json')
    equal(code, 2)
    equal(err, '')
    equal(JSON.parse(out).error.code, 'USAGE')
  })

  for (const words of [['status'], ['deploy', 'shop'], ['apps'], ['hosts', 'list'], ['logs', '-f', 'shop']]) {
    test(`4: ${words.join(' ')} without a manager`, async () => {
      const { code, err } = await fairlead(...words)
      equal(code, 4)
      match(
        err,
        /^error: No manager answers at http:\/\/127\.0\.0\.1:1: .*\nhint: Start one with "\S+\/bin\/fairlead up"/,
      )
    })
  }

  test('4: as JSON for a program', async () => {
    const { code, out } = await fairlead('status', '--json')
    equal(code, 4)
    equal(JSON.parse(out).error.code, 'MANAGER_UNREACHABLE')
  })
})

test('who has no token yet is told how a manager is started', async () => {
  const { code, err } = await run(PROGRAM, ['status'], { FAIRLEAD_TOKEN: '' })
  equal(code, 6)
  match(err, /^error: No token is known .*\nhint: Start a manager with "\S+\/bin\/fairlead up"/)
})

test('4: apps resume is a command of its own, which asks the manager', async () => {
  equal((await fairlead('apps', 'resume', 'shop')).code, 4)
})

describe('settings', () => {
  for (const words of [
    ['up'],
    ['manager'],
    ['manager', 'identity'],
    ['worker'],
    ['worker', 'init'],
    ['status'],
  ]) {
    test(`78: ${words.join(' ')} with a misspelt variable, which names the one that was meant`, async () => {
      const { code, err } = await run(PROGRAM, words, { FAIRLEAD_PROXI_ADMIN: 'http://127.0.0.1:2019' })
      equal(code, 78)
      match(err, /FAIRLEAD_PROXI_ADMIN .*did you mean FAIRLEAD_PROXY_ADMIN\?\nhint: /)
    })
  }

  test('2: up with a port or an address that cannot be one', async () => {
    equal((await fairlead('up', '--port', 'http')).code, 2)
    const { code, err } = await run(PROGRAM, ['up'], { FAIRLEAD_LISTEN: '127.0.0.1:99999' })
    equal(code, 2)
    match(err, /FAIRLEAD_LISTEN.*Expected a port from 1 to 65535/)
  })

  test('78: up on an address that is not of this machine', async () => {
    const { code, err } = await fairlead('up', '--listen', '192.0.2.1')
    equal(code, 78)
    match(err, /cannot listen on 192\.0\.2\.1:7400: EADDRNOTAVAIL\nhint: /)
  })

  test('one folder holds the data of each part, as option or as variable', async () => {
    const identity = JSON.parse((await fairlead('manager', 'identity', '--data', 'one')).out)
    equal(identity.role, 'manager')
    match(await readFile(join(folder, 'one/manager/identity/identity.json'), 'utf8'), /manager/)
    const { out } = await run(PROGRAM, ['worker', 'init'], {
      FAIRLEAD_DATA: 'one',
      FAIRLEAD_WORKER_NAME: 'box',
    })
    equal(JSON.parse(out).name, 'box')
    await writeFile(join(folder, 'manager.json'), JSON.stringify(identity))
    equal((await fairlead('--data', 'one', 'worker', 'trust', 'manager.json')).code, 0)
    match(
      await readFile(join(folder, 'one/worker/peers.json'), 'utf8'),
      new RegExp(identity.key_id ?? identity.keyId),
    )
  })
})

describe('check and init', () => {
  test('problems are told with file and line', async () => {
    const place = await aFolder('broken', {
      Dockerfile: 'FROM scratch\n',
      'fairlead.yaml': 'version: 1\napps:\n  shop:\n    target: contianer\n',
    })
    const { code, err } = await fairlead('check', place)
    equal(code, 3)
    match(err, /fairlead\.yaml:4:13 apps\.shop\.target: .*did you mean "container"/)
    const json = JSON.parse((await fairlead('check', place, '--json')).out)
    deepEqual([json.error.problems[0].file, json.error.problems[0].line], ['fairlead.yaml', 4])
  })

  test('a file that an app needs and that is not there is a problem', async () => {
    const place = await aFolder('missing', {
      'fairlead.yaml': 'version: 1\napps:\n  shop:\n    target: container\n    context: web\n',
    })
    const { code, err } = await fairlead('check', place)
    equal(code, 3)
    match(err, /fairlead\.yaml:3 apps\.shop: needs web\/Dockerfile, which is not there/)
  })

  test('a folder without anything to deploy is told apart from a valid one', async () => {
    const place = await aFolder('empty', { 'README.md': '' })
    equal((await fairlead('check', place)).code, 3)
    equal((await fairlead('init', place)).code, 3)
    equal((await fairlead('check', join(folder, 'nowhere'))).code, 2)
  })

  test('what init writes is valid, and is not written over', async () => {
    const place = await aFolder('shop', {
      'web/Dockerfile': 'FROM scratch\nEXPOSE 3000\n',
      'jobs/compose.yaml': 'services:\n  api:\n    image: example.org/api:1\n    expose: ["9000"]\n',
    })
    equal((await fairlead('init', place)).code, 0)
    const written = await readFile(join(place, 'fairlead.yaml'), 'utf8')
    match(written, /web:\n {4}target: container\n {4}context: "web"\n {4}port: 3000\n/)
    match(written, /jobs:\n {4}target: compose\n(.*\n)*? {6}- service: "api"\n {8}port: 9000/)
    const checked = await fairlead('check', place, '--json')
    equal(checked.code, 0)
    deepEqual(
      JSON.parse(checked.out)
        .apps.map((app: { name: string }) => app.name)
        .sort(),
      ['jobs', 'web'],
    )
    equal((await fairlead('init', place)).code, 2)
    equal((await fairlead('init', place, '--force')).code, 0)
  })

  test('notebook projects are listed with what they are made of, and what is wrong with them is told', async () => {
    const place = await aFolder('notebooks', {
      'churn/x.ipynb': '{}',
      'churn/environment.yml': 'dependencies:\n  - python=3.11\n',
      'bad/y.ipynb': '{}',
      'bad/requirements.txt': 'numpy\n--find-links /\n',
    })
    const { code, out, err } = await fairlead('check', place)
    equal(code, 0)
    match(
      out,
      /2 notebook projects.*\n.*\nbad +refused, see below +1 +yes\nchurn +conda +python 3\.11 +1 +yes\n/,
    )
    match(out, /^A push would make 1 server with 1 environment to build; .* 1\.0 GiB/m)
    match(err, /^bad\/requirements\.txt:2 "\/" names files of the builder\./m)
    const { notebooks } = JSON.parse((await fairlead('check', place, '--json')).out)
    deepEqual(
      notebooks.projects.map(({ slug, environment }: { slug: string; environment?: string }) => [
        slug,
        environment,
      ]),
      [
        ['bad', undefined],
        ['churn', 'conda'],
      ],
    )
    await writeFile(join(place, 'churn/nb.yaml'), 'mode: lap\n')
    const broken = await fairlead('check', place)
    equal(broken.code, 3)
    match(broken.err, /churn\/nb\.yaml:1:7 mode: .*did you mean "lab"/)
  })

  test('the examples are valid', async () => {
    const { code, out } = await fairlead('check', join(import.meta.dirname, '../../examples'), '--json')
    equal(code, 0)
    deepEqual(
      JSON.parse(out).apps.map((app: { name: string; target: string }) => `${app.name} ${app.target}`),
      ['hello container', 'board compose'],
    )
  })
})

async function aFolder(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const place = join(folder, name)
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(place, path, '..'), { recursive: true })
    await writeFile(join(place, path), content)
  }
  return place
}

test('an app whose host will not come back is forgotten: nothing is told to be taken down', async () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.writeHead(204).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const { port } = server.address() as AddressInfo
    const words = ['apps', 'remove', 'shop', '--forget']
    const { code, out, err } = await run(PROGRAM, words, { FAIRLEAD_MANAGER: `http://127.0.0.1:${port}` })
    deepEqual([code, err], [0, ''])
    deepEqual(asked, ['DELETE /api/v1/apps/shop?volumes=keep&forget=true'])
    match(out, /what ran of it was not taken down/)
  } finally {
    server.close()
    server.closeAllConnections()
  }
})
