import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { AppDocument } from '#contract/rest/apps.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import type { DriftDocument } from '#contract/rest/drift.ts'
import { systemClock } from '#lib/clock.ts'
import { docker, essence, inspected, recreate } from './world/by-hand.ts'
import { type System, startSystem } from './world/system.ts'

/** What people change by hand on a real engine and a real proxy, in rounds: all of a round at once, each on its own service. */
const stack = new AsyncDisposableStack()
const APP = `drift-${process.pid}`
const SERVICES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'loop', 'sick', 'web']
/** In the container, not in a volume: a new container is well. */
const LOOP = 'if [ -e /tmp/crash ]; then exit 3; fi; touch /tmp/ready; sleep 1000'
let system: System
let first: Record<string, unknown>

before(async () => {
  system = await startSystem(stack, { environment: { FAIRLEAD_OBSERVE_SECONDS: '1' } })
  stack.defer(removeByHand)
  await removeByHand()
  await system.addRepository(APP, {
    'compose.yaml': composeFile(system.baseImage),
    'settings.conf': 'mode=1\n',
  })
  const deployed = await system.deploy(APP)
  assert.equal(deployed.state, 'succeeded', JSON.stringify(deployed.error))
  first = await essences()
})

after(() => stack.disposeAsync())

test('a host that nobody touches has no drift', async () => {
  for (let looks = 0; looks < 5; looks++) {
    const { state, findings, deployment } = await nextLook()
    assert.deepEqual([state, findings, deployment === null], ['none', [], false])
  }
})

test('containers that are stopped, killed, removed, paused, renamed, updated, ill or looping are found and mended', async () => {
  await Promise.all([
    docker('stop', '--time=0', `${APP}-a-1`),
    docker('kill', `${APP}-b-1`),
    docker('rm', '--force', `${APP}-c-1`),
    docker('pause', `${APP}-d-1`),
    docker('rename', `${APP}-e-1`, `${APP}-elsewhere`),
    docker('update', '--memory=64m', '--memory-swap=64m', `${APP}-f-1`),
    docker('update', '--restart=on-failure:3', `${APP}-g-1`),
    docker('exec', `${APP}-sick-1`, 'touch', '/tmp/sick'),
    // The container may end before its program does.
    docker('exec', '--detach', `${APP}-loop-1`, 'sh', '-c', 'touch /tmp/crash && kill 1'),
  ])
  await settled(`${APP}-sick-1`, each => each.State.Health.Status === 'unhealthy')
  await settled(`${APP}-loop-1`, each => each.RestartCount >= 5)
  await assertFound([
    `stopped: ${APP}-a-1 is exited`,
    `stopped: ${APP}-b-1 is exited (exit code 137)`,
    `missing: ${APP}-c-1 is gone`,
    `paused: ${APP}-d-1 is paused`,
    `renamed: ${APP}-elsewhere is the container that was called ${APP}-e-1`,
    `settings: ${APP}-f-1 has 67108864 for "memory" and not 0`,
    `settings: ${APP}-f-1 has 67108864 for "memory swap" and not 0`,
    `settings: ${APP}-g-1 has on-failure:3 for "restart" and not always`,
    `unhealthy: ${APP}-sick-1 is unhealthy`,
    `restarting: ${APP}-loop-1 ends again and again`,
  ])
  await repair()
})

test('containers made anew by hand from something else are found and mended', async () => {
  await docker('tag', system.baseImage, `${APP}-by-hand:1`)
  await otherImage()
  await Promise.all([
    recreate(`${APP}-a-1`, spec => Object.assign(spec, { Image: `${APP}-by-hand:2` })),
    recreate(`${APP}-b-1`, spec => Object.assign(spec.Labels, { team: 'blue' })),
    recreate(`${APP}-c-1`, spec => Object.assign(spec, { Env: ['COLOUR=blue'] })),
    recreate(`${APP}-d-1`, spec =>
      Object.assign(spec.HostConfig, { PortBindings: { '9/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] } }),
    ),
    recreate(`${APP}-e-1`, spec => Object.assign(spec.HostConfig, { Binds: [], Mounts: [] })),
  ])
  await proxy('PATCH', `/id/route:web.${APP}`, await elsewhere())
  await assertFound([
    `image: ${APP}-a-1 runs the image`,
    `label: ${APP}-b-1 has the label "team", which the release has not`,
    `environment: ${APP}-c-1 has the environment variable COLOUR, which the release has not`,
    `port: ${APP}-d-1 has the published port 9/tcp, which the release has not`,
    `mount: ${APP}-e-1 has lost the mount at /data`,
    `route: the route of ${APP}.localhost was changed in the proxy`,
  ])
  assert.equal((await system.visit(`${APP}.localhost`)).body, 'elsewhere')
  await repair()
  assert.equal((await system.visit(`${APP}.localhost`)).body, 'shop')
})

test('changed networks, further containers, edited files and lost routes are found and mended', async () => {
  const own = `${APP}_default`
  await docker('network', 'create', `${APP}-other`)
  await docker('network', 'disconnect', own, `${APP}-a-1`)
  await docker('network', 'connect', `${APP}-other`, `${APP}-b-1`)
  await docker('network', 'disconnect', own, `${APP}-c-1`)
  await docker('network', 'connect', '--alias=spy', own, `${APP}-c-1`)
  const renders = join(system.folder, 'worker', 'workspace', 'renders', APP)
  const render = (await readdir(renders)).find(name => /^[0-9a-f]{64}\.json$/.test(name)) ?? ''
  const byHand = [
    'compose',
    '--project-name',
    APP,
    '--file',
    join(renders, render),
    'up',
    '--detach',
    '--no-deps',
  ]
  await docker(...byHand, '--no-recreate', '--scale=d=2', 'd')
  const extra = join(system.folder, 'extra.yaml')
  await writeFile(extra, `services: { spy: { image: "${system.baseImage}", command: [sleep, "1000"] } }\n`)
  await docker('compose', '--project-name', APP, '--file', extra, 'up', '--detach')
  const { Source: file } = (await inspected(`${APP}-f-1`)).Mounts[0]
  await writeFile(file, 'mode=2\n')
  await proxy('DELETE', `/id/route:web.${APP}`)
  await proxy('DELETE', `/id/route-tls:web.${APP}`)
  await assertFound([
    `network: ${APP}-a-1 left the network ${own}`,
    `network: ${APP}-b-1 joined the network ${APP}-other`,
    `network: ${APP}-c-1 is known in the network ${own} as`,
    `extra: ${APP}-d-2 is no part of the release`,
    `extra: ${APP}-spy-1 is no part of the release`,
    `file: ${APP}-f-1 mounts a file at /etc/settings.conf that was edited on the host`,
    `route: the proxy has no route for ${APP}.localhost any more`,
  ])
  await repair()
  assert.equal(await readFile(file, 'utf8'), 'mode=1\n')
  assert.equal(await docker('exec', await nameOf('f'), 'cat', '/etc/settings.conf'), 'mode=1\n')
  assert.equal((await system.visit(`${APP}.localhost`)).body, 'shop')
})

test('a fourth repair within ten minutes is not tried, and everybody can see that', async () => {
  await policy('repair')
  await docker('pause', await nameOf('a'))
  const given = await look(({ state }) => state === 'given-up')
  assert.equal(given.repairs, 3)
  const app = await system.together().client.get<AppDocument>(`/apps/${APP}`)
  assert.deepEqual([app.drift.state, app.drift.reason], ['given-up', `${await nameOf('a')} is paused`])
  await docker('unpause', await nameOf('a'))
  await look(({ state }) => state === 'none')
})

test('an app that lost a container for good is shown degraded by it, though all others run', async () => {
  await policy('report')
  const name = await nameOf('c')
  await docker('rm', '--force', name)
  await look(({ findings }) => findings.some(({ kind }) => kind === 'missing'))
  const { observed } = await system.together().client.get<AppDocument>(`/apps/${APP}`)
  assert.deepEqual([observed.state, observed.reason], ['degraded', `${name} is gone`])
})

async function assertFound(expected: readonly string[]): Promise<void> {
  const { findings } = await nextLook()
  const found = findings.map(({ kind, reason }) => `${kind}: ${reason}`)
  assert.deepEqual(
    found.map(each => expected.find(start => each.startsWith(start)) ?? `not expected: ${each}`).sort(),
    [...expected].sort(),
  )
}

/** Lets Fairlead bring everything back, once. */
async function repair(): Promise<void> {
  await policy('repair')
  await look(({ repairs, findings }) => repairs > 0 && findings.length === 0)
  await policy('report')
  const { client } = system.together()
  const { items } = await client.get<{ items: DeploymentDocument[] }>(`/deployments?app=${APP}&limit=1`)
  assert.deepEqual([items[0]?.trigger.kind, items[0]?.outcome], ['drift', 'deployed'])
  assert.deepEqual(await essences(), first)
}

async function policy(drift: 'report' | 'repair'): Promise<void> {
  await system.together().client.send('PATCH', `/apps/${APP}`, { overrides: { drift } })
}

const driftNow = () => system.together().client.get<DriftDocument>(`/apps/${APP}/drift`)

/** What the first look says that began after this call. */
async function nextLook(): Promise<DriftDocument> {
  const { observed_at: now } = await driftNow()
  // The look that ends next may have begun before.
  const { observed_at: next } = await look(({ observed_at }) => observed_at !== now)
  return await look(({ observed_at }) => observed_at !== next)
}

async function look(isIt: (drift: DriftDocument) => boolean): Promise<DriftDocument> {
  for (let tries = 0; ; tries++) {
    const drift = await driftNow()
    if (isIt(drift)) {
      return drift
    }
    assert.ok(tries < 600, JSON.stringify(drift))
    await systemClock.sleep(200)
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the engine's own JSON
async function settled(name: string, isIt: (container: any) => boolean): Promise<void> {
  for (let tries = 0; !isIt(await inspected(name)); tries++) {
    assert.ok(tries < 300, name)
    await systemClock.sleep(100)
  }
}

async function nameOf(service: string): Promise<string> {
  const filters = [`label=com.docker.compose.project=${APP}`, `label=com.docker.compose.service=${service}`]
  const found = await docker('ps', '--all', '--format={{.Names}}', ...filters.map(each => `--filter=${each}`))
  const names = found.split('\n').filter(Boolean)
  assert.equal(names.length, 1, `${service}: ${names.join()}`)
  return names[0] ?? ''
}

async function essences(): Promise<Record<string, unknown>> {
  const found = await docker(
    'ps',
    '--all',
    '--format={{.Names}}',
    `--filter=label=com.docker.compose.project=${APP}`,
  )
  assert.equal(found.split('\n').filter(Boolean).length, SERVICES.length, found)
  const all = SERVICES.map(async service => [service, await essence(await nameOf(service))] as const)
  return Object.fromEntries(await Promise.all(all))
}

async function otherImage(): Promise<void> {
  const from = (await docker('create', `${APP}-by-hand:1`, 'true')).trim()
  await docker('commit', from, `${APP}-by-hand:2`)
  await docker('rm', from)
}

async function proxy(method: 'DELETE' | 'PATCH', path: string, body?: unknown): Promise<void> {
  const answer = await fetch(`${system.proxy.adminUrl}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  assert.equal(answer.status, 200, await answer.text())
}

/** The route as it is, but for where it leads. */
async function elsewhere(): Promise<object> {
  const route = (await (await fetch(`${system.proxy.adminUrl}/id/route:web.${APP}`)).json()) as object
  return { ...route, handle: [{ handler: 'static_response', body: 'elsewhere' }] }
}

async function removeByHand(): Promise<void> {
  const ids = await docker('ps', '--all', '--quiet', `--filter=label=com.docker.compose.project=${APP}`)
  await docker('rm', '--force', '--volumes', '-f', ...ids.split('\n').filter(Boolean), 'none').catch(() => '')
  await docker('network', 'rm', `${APP}-other`).catch(() => '')
  await docker('rmi', '--force', `${APP}-by-hand:1`, `${APP}-by-hand:2`).catch(() => '')
}

function composeFile(base: string): string {
  const idle = `image: "${base}", init: true, command: [sleep, "1000"]`
  return `
services:
  a: { ${idle} }
  b: { ${idle} }
  c: { ${idle} }
  d: { ${idle} }
  e: { ${idle}, volumes: ["data:/data"] }
  f: { ${idle}, volumes: ["./settings.conf:/etc/settings.conf:ro"] }
  g: { ${idle}, restart: always }
  loop: { image: "${base}", init: true, restart: always, command: [sh, -c, "${LOOP}"] }
  sick:
    image: "${base}"
    init: true
    command: [sleep, "1000"]
    healthcheck: { test: ["CMD", "test", "!", "-e", "/tmp/sick"], interval: 300ms, retries: 1 }
  web:
    image: "${base}"
    init: true
    command: [sh, -c, "mkdir -p /tmp/w && echo -n shop > /tmp/w/index.html && exec httpd -f -p 8080 -h /tmp/w"]
    expose: [8080]
volumes:
  data:
`
}
