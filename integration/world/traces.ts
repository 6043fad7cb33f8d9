import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DOCKER_SOCKET, listFromEngine } from '#cli/demo/engine.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import { systemClock } from '#lib/clock.ts'
import type { System } from './system.ts'

/** All that a deployment of an app makes on its host, by kind. Equal before and after: nothing was left and nothing touched. */
export type Traces = Readonly<Record<string, readonly string[]>>

export async function tracesOf(system: System, app: string): Promise<Traces> {
  const worker = join(system.folder, 'worker')
  const { items } = await system
    .together()
    .client.get<{ items: { id: string; name: string }[] }>('/repositories')
  const repository = items.find(({ name }) => name === app)?.id ?? app
  const filter = { label: [`com.docker.compose.project=${app}`] }
  return {
    containers: await containersOf(app),
    images: await imagesOf(system, app),
    networks: (await listFromEngine<{ Name: string }>(DOCKER_SOCKET, '/networks', filter)).map(
      ({ Name }) => Name,
    ),
    volumes: (await volumesOf(app)).sort(),
    routes: await routesOf(system, app),
    switchboard: await switchboardOf(worker, app),
    checkouts: await namesIn(join(worker, 'workspace', 'checkouts', repository)),
    packs: (
      await namesIn(join(worker, 'workspace', 'repositories', repository, 'mirror.git', 'objects', 'pack'))
    ).filter(name => name.startsWith('tmp_')),
  }
}

export interface Failure {
  /** Of tracesOf() before the deployment. */
  readonly before: Traces
  /** What visitors of the app's own domain get, before and after. */
  readonly serving: string
  readonly step: RegExp
  readonly code: RegExp
  /** A line of the log, or of what the error carries, that a person needs to see. */
  readonly shows: RegExp
  /** What the error's hint tells to do. */
  readonly hint: RegExp
}

/** A deployment that failed as it should: it says where, why and what to do, and all is as it was before. */
export async function assertFailedCleanly(
  system: System,
  deployment: DeploymentDetail,
  { before, serving, step, code, shows, hint }: Failure,
): Promise<void> {
  assert.equal(deployment.state, 'failed', JSON.stringify(deployment.error))
  assert.match(deployment.error?.code ?? '', code, JSON.stringify(deployment.error))
  assert.match(deployment.failed_step ?? '', step)
  assert.match(deployment.error?.hint ?? '', hint)
  const log = await system.logOf(deployment.id)
  assert.match(log, shows)
  assert.ok(log.includes(`hint: ${deployment.error?.hint}`), log)
  await assertNothingLeft(system, deployment.app, { before, serving })
}

/** The old version serves, what is on the host is what was there before, and the worker is at rest. */
export async function assertNothingLeft(
  system: System,
  app: string,
  { before, serving }: Pick<Failure, 'before' | 'serving'>,
): Promise<void> {
  assert.equal((await system.visit(`${app}.localhost`)).body, serving)
  const traces = await tracesOf(system, app)
  // Of the checkouts, those that were kept for earlier releases may have been forgotten meanwhile.
  const checkouts = before.checkouts?.filter(name => traces.checkouts?.includes(name))
  assert.deepEqual(traces, { ...before, checkouts })
  // The worker may be looking at a repository just now; what a deployment left there would stay.
  const temporary = join(system.folder, 'worker', 'temporary')
  await until('no temporary file is left', async () => (await namesIn(temporary)).length === 0)
  assert.equal((await system.visit(`${app}.localhost`)).body, serving)
}

/** Names of programs that have this word in their command line, wherever they run. */
export async function processesWith(word: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
  const lines = await Promise.all(pids.map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.map(line => line.replaceAll('\0', ' ').trim()).filter(line => line.includes(word))
}

/** Waits until it holds; generous, because it is for what would otherwise hang. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = systemClock.monotonic() + 300_000
  while (!(await holds())) {
    assert.ok(systemClock.monotonic() < deadline, `waited in vain: ${what}`)
    await systemClock.sleep(100)
  }
}

interface Container {
  readonly Id: string
  readonly State: string
  readonly Labels: Readonly<Record<string, string>>
}

/** A container of Compose by its service: the previous release may come back in a new one. */
export async function containersOf(app: string): Promise<string[]> {
  const found = await Promise.all(
    ['io.fairlead.app', 'com.docker.compose.project'].map(key =>
      listFromEngine<Container>(DOCKER_SOCKET, '/containers/json', { label: [`${key}=${app}`] }),
    ),
  )
  const byId = new Map(found.flat().map(container => [container.Id, container]))
  return [...byId.values()]
    .map(({ Id, State, Labels }) => `${Labels['com.docker.compose.service'] ?? Id.slice(0, 12)} ${State}`)
    .sort()
}

async function imagesOf(system: System, app: string): Promise<string[]> {
  const label = [`io.fairlead.app=${app}`]
  const labelled = await listFromEngine<{ Id: string; RepoTags: string[] | null }>(
    DOCKER_SOCKET,
    '/images/json',
    { label },
  )
  const tags = labelled.flatMap(({ Id, RepoTags }) => RepoTags ?? [Id])
  return tags.filter(tag => !tag.startsWith(system.baseImage)).sort()
}

export async function volumesOf(app: string, socket = DOCKER_SOCKET): Promise<string[]> {
  const reply = (await listFromEngine<{ Name: string }>(socket, '/volumes', {
    name: [app],
  })) as unknown as { Volumes: { Name: string }[] | null }
  return (reply.Volumes ?? []).map(({ Name }) => Name)
}

/** The hosts of each of an app's routes. */
export async function routesOf(system: Pick<System, 'proxy'>, app: string): Promise<string[]> {
  const answer = await fetch(`${system.proxy.adminUrl}/config/apps/http/servers`)
  const routes: string[] = []
  JSON.stringify(await answer.json(), (key, value) => {
    if (key === 'host' && Array.isArray(value) && value.some(host => String(host).includes(app))) {
      routes.push(value.join())
    }
    return value
  })
  return routes.sort()
}

/** What an app has of the switchboard: its slots and what serves. */
export async function switchboardOf(worker: string, app: string): Promise<string[]> {
  const text = await readFile(join(worker, 'switchboard.json'), 'utf8').catch(() => '{}')
  const lines: string[] = []
  JSON.stringify(JSON.parse(text), (key, value) => {
    if (key === app || key.endsWith(`.${app}`)) {
      const { slots, target } = value as { slots?: string[]; target?: { ip: string; deployment: string } }
      lines.push([key, ...(slots ?? []), target?.ip, target?.deployment].join(' '))
    }
    return value
  })
  return lines.sort()
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort()
}
