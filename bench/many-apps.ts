import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '#cli/client.ts'
import { freePort } from '#cli/demo/free-port.ts'
import { askPart, type PartOptions, startPart } from '#cli/parts.ts'
import type { HostDocument } from '#contract/rest/hosts.ts'
import type { MadeToken } from '#contract/rest/tokens.ts'
import type { Clock } from '#lib/clock.ts'
import type { Figure } from './figure.ts'
import { APPS, appName, fillDatabase } from './many-rows.ts'
import { pssOf } from './processes.ts'
import { startSilentWorkers } from './silent-workers.ts'

const WORKERS = 100
const TIMES = 200
/** They are asked one after the other; the first ones warm caches up and are not counted. */
const WARM = 5
const CONNECTED_WITHIN_MS = 120_000

interface Question {
  readonly what: string
  readonly client: Client
  /** All of them at once, as a page asks. */
  readonly paths: readonly string[]
}

/** P9: lists, details and the overview of a manager with 10,000 apps on 100 hosts and 1,000,000 deployments. */
export async function measureManyApps(clock: Clock, say: (text: string) => void): Promise<Figure[]> {
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-bench-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const port = await freePort()
  const tokenFile = join(folder, 'admin-token')
  const part: PartOptions = {
    name: 'manager',
    data: folder,
    environment: {
      FAIRLEAD_LISTEN: `127.0.0.1:${port}`,
      FAIRLEAD_ADMIN_TOKEN_FILE: tokenFile,
      FAIRLEAD_ALLOW_PRIVATE: '127.0.0.0/8',
    },
  }
  const managerUrl = `http://127.0.0.1:${port}`
  const manager = JSON.parse(await askPart({ ...part, arguments: ['identity'] })) as unknown
  say(`starting ${WORKERS} workers that do nothing`)
  const perHost = APPS / WORKERS
  const workers = await startSilentWorkers(stack, WORKERS, {
    ...{ folder, manager, clock },
    appsOf: name =>
      Array.from({ length: perHost }, (_, each) => appName(Number(name.slice(-3)) * perHost + each)),
  })
  const empty = await startPart(part)
  const client = createClient({ managerUrl, token: undefined, tokenFile })
  try {
    for (const { address, identity } of workers) {
      await client.send('POST', '/hosts', { address, identity })
    }
  } finally {
    await empty.close()
  }
  say('filling the database')
  const names = workers.map(({ name }) => name)
  fillDatabase(join(folder, 'manager', 'fairlead.db'), names, clock.now())
  const running = await startPart(part)
  stack.defer(running.close)
  await untilConnected(client, clock)
  say('asking')
  const member = await memberOf(client, managerUrl)
  const figures: Figure[] = []
  for (const question of questions(client, member)) {
    figures.push(await ask(question, clock))
  }
  return [
    ...figures,
    {
      id: 'P9',
      what: 'memory of the manager afterwards (PSS)',
      value: await pssOf(running.pid),
      unit: 'MiB',
      target: '<= 300',
    },
  ]
}

async function untilConnected(client: Client, clock: Clock): Promise<void> {
  const deadline = clock.monotonic() + CONNECTED_WITHIN_MS
  for (;;) {
    const { items } = await client.get<{ items: HostDocument[] }>('/hosts')
    const online = items.filter(host => host.online).length
    if (online === WORKERS) {
      return
    }
    if (clock.monotonic() > deadline) {
      throw new Error(`${online} of ${WORKERS} workers are connected after ${CONNECTED_WITHIN_MS / 1000} s`)
    }
    await clock.sleep(200)
  }
}

/** Who sees the few apps of a project and nothing else. */
async function memberOf(client: Client, managerUrl: string): Promise<Client> {
  const machine = { role: 'viewer', project: 'team' }
  const { token } = await client.send<MadeToken>('POST', '/tokens', { name: 'bench', machine })
  return createClient({ managerUrl, token, tokenFile: undefined })
}

function questions(client: Client, member: Client): Question[] {
  const middle = appName(APPS / 2)
  const list = (what: string, ...paths: string[]) => ({ what, client, paths })
  return [
    list('apps, a page of 50', '/apps'),
    list('apps, a page of 200', '/apps?limit=200'),
    list('apps, those with a part of a name', '/apps?search=p-0777'),
    list('apps, a search that finds none', '/apps?search=nobody'),
    list('apps, a page from the middle', `/apps?cursor=${middle}`),
    list('an app', `/apps/${middle}`),
    list('its releases', `/apps/${middle}/releases`),
    list('deployments, newest', '/deployments'),
    list('deployments that failed', '/deployments?state=failed'),
    list('deployments that wait', '/deployments?state=waiting'),
    list('deployments of an app', `/deployments?app=${middle}`),
    list('deployments of an app that were cancelled', `/deployments?app=${middle}&state=cancelled`),
    list('repositories', '/repositories'),
    list('hosts', '/hosts'),
    list('what the overview asks, all at once', '/apps?limit=100', '/deployments?limit=30', '/hosts'),
    { what: 'apps, for a member of a project', client: member, paths: ['/apps'] },
    { what: 'deployments, for a member of a project', client: member, paths: ['/deployments'] },
    {
      what: 'deployments that wait, for a member of a project',
      client: member,
      paths: ['/deployments?state=waiting'],
    },
  ]
}

async function ask({ what, client, paths }: Question, clock: Clock): Promise<Figure> {
  const samples: number[] = []
  for (let time = 0; time < WARM + TIMES; time++) {
    const startedAt = clock.monotonic()
    await Promise.all(paths.map(path => client.get(path)))
    samples.push(clock.monotonic() - startedAt)
  }
  const counted = samples.slice(WARM).toSorted((a, b) => a - b)
  return {
    id: 'P9',
    what: `${what}, p99`,
    value: counted[Math.floor(counted.length * 0.99)] ?? Number.NaN,
    unit: 'ms',
    target: '<= 50',
    note: `p50 ${(counted[Math.floor(counted.length / 2)] ?? Number.NaN).toFixed(1)} ms`,
  }
}
