import assert from 'node:assert/strict'
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { armor, Encrypter } from 'age-encryption'
import { callEngine, DOCKER_SOCKET, listFromEngine } from '#cli/demo/engine.ts'
import type { AppDocument } from '#contract/rest/apps.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import type { FirewallList } from '#contract/rest/firewall.ts'
import type { HostDocument } from '#contract/rest/hosts.ts'
import type { RecipientDocument } from '#contract/rest/secrets.ts'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import type { CommandResult } from './world/command.ts'
import { type Fleet, startFleet } from './world/five-hosts.ts'
import type { Machine } from './world/machine.ts'
import { openRemote, type Remote } from './world/system.ts'
import { until } from './world/traces.ts'

/**
 * A manager and five hosts with networks of their own. They share one Docker engine, which is reached by a file, so the
 * apps differ by name. Each test has hosts of its own, and all go on at once: what befalls one host is nothing to others.
 */
const stack = new AsyncDisposableStack()
const NAMES = ['cut', 'lost', 'slow', 'twin', 'calm']
const PORT_OF_NOBODY = 8001
let fleet: Fleet
const remotes = new Map<string, Remote>()

before(async () => {
  fleet = await startFleet(stack, NAMES)
  for (const machine of fleet.machines) {
    if (machine.name === 'calm') {
      await addByHand(machine)
      continue
    }
    await joinHost(machine, 'worker', machine.name)
    await machine.start('worker')
  }
  await until('all are online', async () => (await hosts()).filter(({ online }) => online).length === 5)
  await Promise.all(NAMES.map(name => addApp(name)))
})

after(() => stack.disposeAsync())

describe('five hosts, each with what befalls it', { concurrency: true }, () => {
  test('R74 R81 cut off in the middle of a deployment: it ends as it really went once the host is back, and then comes the tip', async () => {
    const [machine, app] = [machineOf('cut'), appOf('cut')]
    const first = await push('cut', 'RUN echo now it is slow; sleep 3\n')
    const id = await request(app)
    await until('it builds', async () =>
      /now it is slow$/m.test(await fleet.client.text(`/deployments/${id}/log`)),
    )
    await machine.link('down')
    const tip = await push('cut')
    const next = await request(app)
    try {
      // By the silence alone: nobody says goodbye on a cut cable.
      await until('it is missed', async () => !(await hostOf('cut')).online)
      const { state, reason } = (await appDocument('cut')).observed
      assert.notEqual(state, 'running', reason ?? '')
      assert.deepEqual([await stateOf(id), await stateOf(next)], ['running', 'queued'])
    } finally {
      await machine.link('up')
    }
    const [before, last] = [await ended(id), await ended(next)]
    assert.deepEqual([before.error, before.state, before.commit], [null, 'succeeded', first])
    assert.deepEqual([last.error, last.state, last.commit], [null, 'succeeded', tip])
    assert.deepEqual(await commitsThatRun('cut'), [tip])
    assert.equal((await appDocument('cut')).release?.commit, tip)
  })

  test('R81 one host is lost: what ran there is unknown, not running, until it is back', async () => {
    const commit = await ships('lost')
    await until('it is seen', async () => (await appDocument('lost')).observed.state === 'running')
    await machineOf('lost').kill()
    await until('it is missed', async () => !(await hostOf('lost')).online)
    const { state, reason } = (await appDocument('lost')).observed
    assert.equal(state, 'unknown')
    assert.match(reason ?? '', /worker of its host is not connected/)
    await ships('calm')
    await machineOf('lost').start('worker')
    await until('it is back', async () => (await appDocument('lost')).observed.state === 'running')
    assert.deepEqual(await commitsThatRun('lost'), [commit])
  })

  test('a host behind a slow cable deploys, and nobody waits for it', async () => {
    await machineOf('slow').slow('96kbit')
    await push('slow', 'RUN echo now it is slow; sleep 1d\n')
    const id = await request(appOf('slow'))
    await until('it builds', async () =>
      /now it is slow$/m.test(await fleet.client.text(`/deployments/${id}/log`)),
    )
    // Asked for later, on another host.
    await addApp('free', 'calm')
    await ships('free')
    assert.equal(await stateOf(id), 'running')
    await fleet.client.send('POST', `/deployments/${id}/cancel`)
    assert.equal((await ended(id)).state, 'cancelled')
    await ships('slow')
  })

  test('R75 a copy of a host is refused when it joins, and told what to do; the original goes on', async () => {
    const machine = machineOf('twin')
    const copy = join(machine.data, '../copy')
    await cp(machine.data, copy, { recursive: true })
    const answer = await machine.fairlead(await joinWords('worker', 'twin'), copy)
    assert.notEqual(answer.code, 0)
    assert.match(answer.stderr, /enrolled already: as "twin"/)
    assert.match(answer.stderr, /remove identity\.json and tls\.json/)
    for (const file of ['identity.json', 'tls.json']) {
      await rm(join(copy, 'worker', file))
    }
    const again = await machine.fairlead(await joinWords('worker', 'twin-2', '--address 127.0.0.1:1'), copy)
    assert.equal(again.code, 0, again.stderr)
    printed(await fleet.fairlead('hosts', 'rotate-identity', 'twin'))
    const keys = (await hosts())
      .filter(({ name }) => ['twin', 'twin-2'].includes(name))
      .map(({ key_id: key }) => key)
    assert.equal(new Set(keys).size, 2)
    await ships('twin')
  })

  test('R82 R81 two guardians join by the command that is printed, and each closes its own host', async () => {
    const guarded = ['twin', 'calm'].map(machineOf)
    // Not the one that is cut off meanwhile.
    const asked = [...guarded, machineOf('lost')]
    for (const machine of asked) {
      await machine.run(process.execPath, PROBE, 'echo', `${PORT_OF_NOBODY}`, '8002')
      assert.equal(await isReached(machine, PORT_OF_NOBODY), true, machine.name)
    }
    for (const machine of guarded) {
      const guardian = `${machine.name}-guardian`
      await joinHost(machine, 'guardian', guardian)
      await machine.start('guardian')
      await until(`${guardian} is online`, async () => (await hostOf(guardian)).online)
      printed(await fleet.fairlead('firewall', 'guard', machine.name, guardian))
    }
    await until('both keep their hosts', async () => {
      const { items } = await fleet.client.get<FirewallList>('/firewall')
      return items.length === 2 && items.every(each => each.in_sync && each.workers.length === 1)
    })
    for (const machine of asked) {
      const isGuarded = guarded.includes(machine)
      assert.equal(await isReached(machine, PORT_OF_NOBODY, isGuarded ? 1_500 : 30_000), !isGuarded)
    }
    for (const { name } of guarded) {
      assert.equal((await hostOf(name)).online, true)
    }
  })
})

test('R01 R03 values of secrets are in no log, row, answer, event, label, layer or file of ours', async () => {
  const secrets = { OF_APP: `canary ${newId()}/+"%`, OF_BUILD: `canary ${newId()}/+"%` }
  const inFile = `canary ${newId()}/+"%`
  const [app, values] = [appOf('calm'), [...Object.values(secrets), inFile]]
  for (const [name, value] of Object.entries(secrets)) {
    await fleet.client.send('PUT', `/apps/${app}/secrets/${name}`, { value })
  }
  const remote = remotes.get('calm')
  assert.ok(remote)
  const deployFile = `version: 1
apps:
  ${app}:
    target: container
    domains: []
    stop_grace: 1s
    secret_files: [prod.env.age]
    environment: { TOKEN: $OF_APP, FILE: $IN_FILE }
    build_secrets: [OF_BUILD]
`
  const read = 'cat /run/secrets/OF_BUILD; base64 /run/secrets/OF_BUILD'
  const step = `RUN --mount=type=secret,id=OF_BUILD echo it says; ${read}; cat /run/secrets/OF_BUILD | wc -c > /size`
  const { recipient } = await fleet.client.get<RecipientDocument>(`/repositories/${app}/recipient`)
  const encrypter = new Encrypter()
  encrypter.addRecipient(recipient)
  const commit = await remote.push({
    'prod.env.age': armor.encode(await encrypter.encrypt(`IN_FILE='${inFile}'\n`)),
    Dockerfile: `FROM ${fleet.baseImage}\n${step}\nCMD ["sleep", "1d"]\n`,
    'fairlead.yaml': deployFile,
  })
  const { client, folder } = fleet
  const shown = new Map<string, string>()
  const stop = new AbortController()
  const listening = (async () => {
    for await (const event of client.events('/events', stop.signal)) {
      shown.set(`event ${event.id}`, JSON.stringify(event))
    }
  })()
  const id = await request(app)
  const deployment = await ended(id)
  stop.abort()
  await listening
  assert.deepEqual([deployment.error, deployment.commit], [null, commit])
  const log = await client.text(`/deployments/${id}/log`)
  assert.match(log, /it says/)
  shown.set('the log', log)
  const paths = [`/deployments/${id}`, `/apps/${app}`, `/apps/${app}/secrets`, `/apps/${app}/releases`]
  for (const path of [...paths, `/apps/${app}/containers`, '/apps', '/deployments', '/audit', '/hosts']) {
    shown.set(path, await client.text(path))
  }
  const label = [`io.fairlead.app=${app}`]
  const containers = await listFromEngine<{ Id: string }>(DOCKER_SOCKET, '/containers/json', { label })
  const path = `/containers/${containers[0]?.Id}/json`
  const { Config } = JSON.parse((await callEngine(DOCKER_SOCKET, { method: 'GET', path })).text)
  assert.ok(Config.Env.includes(`FILE=${inFile}`), 'the app has the value of the file')
  const images = await listFromEngine<{ Id: string }>(DOCKER_SOCKET, '/images/json', { label })
  shown.set('containers', JSON.stringify(containers)).set('images', JSON.stringify(images))
  for (const { Id } of images) {
    const about = await Promise.all(
      ['json', 'history'].map(what =>
        callEngine(DOCKER_SOCKET, { method: 'GET', path: `/images/${Id}/${what}` }),
      ),
    )
    shown.set(Id, about.map(({ text }) => text).join())
  }
  const roots = [
    join(folder, 'manager'),
    ...['worker', 'guardian'].map(part => join(machineOf('calm').data, part)),
  ]
  for (const root of roots) {
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name)
      shown.set(
        file,
        entry.isFile() ? (await readFile(file).catch(() => Buffer.of())).toString('latin1') : '',
      )
    }
  }
  const forms = values.flatMap(value => [
    ...[value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)],
    Buffer.from(value).toString('base64').replace(/=+$/, ''),
  ])
  const found = [...shown].filter(([, text]) => forms.some(form => text.includes(form)))
  assert.deepEqual(
    found.map(([where]) => where),
    [],
  )
  assert.ok([...shown.keys()].some(where => where.endsWith('manager.log')) && shown.size > 20)
})

const PROBE = join(import.meta.dirname, 'world/network-probe.ts')

function appOf(host: string): string {
  return `five-${process.pid}-${host}`
}

function machineOf(name: string): Machine {
  const found = fleet.machines.find(machine => machine.name === name)
  assert.ok(found)
  return found
}

/** What "fairlead hosts add" prints for the new host, as the words behind "fairlead". */
async function joinWords(part: 'worker' | 'guardian', name: string, more = ''): Promise<string[]> {
  const options = part === 'guardian' ? ['--guardian'] : []
  const text = printed(await fleet.fairlead('hosts', 'add', ...options, '--name', name))
  const line = /^ {2}fairlead (.+)$/m.exec(text)?.[1] ?? ''
  assert.match(line, new RegExp(`^${part} join FLD1\\S+ --manager https://\\S+ --name ${name}$`))
  return `${line} ${more}`.trim().split(' ')
}

async function joinHost(machine: Machine, part: 'worker' | 'guardian', name: string): Promise<void> {
  printed(await machine.fairlead(await joinWords(part, name)))
}

/** R76 As docs/hosts.md has it for a host that cannot reach the manager: two public identities change places. */
async function addByHand(machine: Machine): Promise<void> {
  const file = (name: string) => join(machine.data, name)
  const box = printed(await machine.fairlead(['worker', 'init']))
  await writeFile(file('box.json'), box)
  await writeFile(file('manager.json'), printed(await fleet.fairlead('hosts', 'identity')))
  printed(await machine.fairlead(['worker', 'trust', file('manager.json')]))
  await machine.start('worker')
  const words = ['hosts', 'add', `${machine.ip}:7443`, '--identity', file('box.json')]
  const said = printed(await fleet.fairlead(...words))
  assert.match(said, new RegExp(`^${machine.name} is enrolled .*Key: ${JSON.parse(box).keyId}$`, 'm'))
}

function printed({ code, stdout, stderr }: CommandResult): string {
  assert.equal(code, 0, stderr)
  return stdout
}

async function hosts(): Promise<HostDocument[]> {
  return (await fleet.client.get<{ items: HostDocument[] }>('/hosts')).items
}

async function hostOf(name: string): Promise<HostDocument> {
  const found = (await hosts()).find(host => host.name === name)
  assert.ok(found, name)
  return found
}

async function appDocument(host: string): Promise<AppDocument> {
  return await fleet.client.get<AppDocument>(`/apps/${appOf(host)}`)
}

/** Named after its host, or otherwise. */
async function addApp(key: string, host = key): Promise<void> {
  const name = appOf(key)
  fleet.own(name)
  const { gitServer, client, ca } = fleet
  await gitServer.createRepository(name)
  const url = new URL(gitServer.url(name))
  url.username = gitServer.username
  url.password = gitServer.password
  const access = { name, url: url.href, env: { GIT_SSL_CAINFO: gitServer.caFile } }
  const repository = join(gitServer.repositoriesFolder, `${name}.git`)
  remotes.set(key, await openRemote(join(machineOf(host).data, 'work', key), { ...access, repository }))
  await push(key)
  const { username, password } = gitServer
  await client.send('POST', '/repositories', {
    ...{ name, host, ca, url: fleet.gitUrl(name), poll_seconds: 0, auto_apps: false },
    credential: { kind: 'https', username, password },
  })
  await client.send('POST', '/apps', { name, repository: name, host })
}

/** A new commit; gives it. */
async function push(host: string, more = ''): Promise<string> {
  const remote = remotes.get(host)
  assert.ok(remote)
  return await remote.push({
    Dockerfile: `FROM ${fleet.baseImage}\nCOPY text /text\n${more}CMD ["sleep", "1d"]\n`,
    text: `${systemClock.now()} ${Math.random()}`,
    'fairlead.yaml': `version: 1\napps:\n  ${appOf(host)}:\n    target: container\n    domains: []\n    stop_grace: 1s\n`,
  })
}

async function request(app: string): Promise<string> {
  return (await fleet.client.send<{ id: string }>('POST', `/apps/${app}/deploy`, {})).id
}

async function detail(id: string): Promise<DeploymentDetail> {
  return await fleet.client.get<DeploymentDetail>(`/deployments/${id}`)
}

async function stateOf(id: string): Promise<string> {
  return (await detail(id)).state
}

async function ended(id: string): Promise<DeploymentDetail> {
  await until('it ended', async () => (await detail(id)).finished_at !== null)
  return await detail(id)
}

/** A new commit is deployed and runs; gives it. */
async function ships(host: string): Promise<string> {
  const wanted = await push(host)
  const { error, state, commit } = await ended(await request(appOf(host)))
  assert.deepEqual([error, state, commit], [null, 'succeeded', wanted])
  assert.deepEqual(await commitsThatRun(host), [wanted])
  return wanted
}

/** As the engine says, which nobody here can talk into anything. */
async function commitsThatRun(host: string): Promise<(string | undefined)[]> {
  const containers = await listFromEngine<{ Labels: Readonly<Record<string, string>> }>(
    DOCKER_SOCKET,
    '/containers/json',
    { label: [`io.fairlead.app=${appOf(host)}`] },
  )
  return containers.map(({ Labels }) => Labels['io.fairlead.commit'])
}

function isReached({ ip }: Machine, port: number, withinMs = 30_000): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: ip, port, timeout: withinMs })
    const answer = (reached: boolean) => {
      socket.destroy()
      resolve(reached)
    }
    socket.on('connect', () => answer(true))
    socket.on('error', () => answer(false))
    socket.on('timeout', () => answer(false))
  })
}
