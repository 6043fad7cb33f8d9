import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Client, createClient } from '#cli/client.ts'
import { DOCKER_SOCKET, listFromEngine } from '#cli/demo/engine.ts'
import { LABEL } from '#commands/container-data.ts'
import type { DeploymentDetail, DeploymentDocument, LogLineDocument } from '#contract/rest/deployments.ts'
import { newTestDatabase } from '#manager/store/test-database.ts'
import { startPostgresServer } from '#world/postgres-server.ts'
import { logOf, type OneOfSeveral, peerSettings, startOneOfSeveral, within } from '#world/several-managers.ts'
import type { Remote } from '#world/system.ts'
import { type CrashWorld, startCrashWorld, untilStopped } from './crash-world.ts'
import type { Tell } from './lone-crash.ts'

/** The leader of two managers stops at the failpoint, and is killed, or goes on only after the other one has taken over. */
export interface LeaderCrash {
  readonly failpoint: string
  readonly fate: 'killed' | 'stopped'
}

const KILLED = [
  'manager step checkout before-row',
  'manager step build after-row',
  'manager build image.build after-row',
  'manager step apply after-row',
  'manager apply container.start after-effect',
  'manager step verify after-effect',
  'manager route route.point after-row',
  'manager finish before-row',
]
const STOPPED = ['manager apply container.start after-row', 'manager finish before-row']

export function leaderCrashes(): readonly LeaderCrash[] {
  return [
    ...KILLED.map(failpoint => ({ failpoint, fate: 'killed' as const })),
    ...STOPPED.map(failpoint => ({ failpoint, fate: 'stopped' as const })),
  ]
}

/** What `npm test` has time for. */
export function leaderSample(): readonly LeaderCrash[] {
  return leaderCrashes().filter(
    ({ failpoint, fate }) => fate === 'killed' && failpoint === 'manager apply container.start after-effect',
  )
}

export function leaderCrashText({ failpoint, fate }: LeaderCrash): string {
  return `leader    deploy  ${failpoint.padEnd(55)} ${fate.padEnd(7)}`
}

export interface LeaderOutcome {
  /** What was not right afterwards; empty when all was. */
  readonly wrong: readonly string[]
  /** From the end of the leader until the other one led. */
  readonly ledMs: number
  /** From there until the deployment had ended under the other one. */
  readonly finishedMs: number
}

interface Pair {
  readonly world: CrashWorld
  readonly managers: readonly OneOfSeveral[]
  readonly name: string
  readonly remote: Remote
}

/** One after the other with two managers that take turns. */
export async function runLeaderCrashes(
  crashes: readonly LeaderCrash[],
  tell: Tell = () => undefined,
): Promise<readonly LeaderOutcome[]> {
  await using stack = new AsyncDisposableStack()
  const pair = await startPair(stack)
  const outcomes: LeaderOutcome[] = []
  for (const [index, crash] of crashes.entries()) {
    const outcome = await crashOnce(pair, crash, index + 1)
    outcomes.push(outcome)
    const { wrong, ledMs } = outcome
    const took = `${ledMs} ms until the other one led`
    tell([`${leaderCrashText(crash)} ${wrong.length === 0 ? 'ok' : ''} ${took}`, ...wrong].join('\n    '))
  }
  return outcomes
}

async function startPair(stack: AsyncDisposableStack): Promise<Pair> {
  const server = await startPostgresServer(stack)
  const { database } = await newTestDatabase(server.url)
  const settings = { FAIRLEAD_DATABASE_URL: server.url.replace('/postgres?', `/${database}?`) }
  const world = await startCrashWorld(stack, {
    engine: 'shared',
    settings: { ...settings, ...(await peerSettings('one')) },
  })
  const { system, manager } = world
  const one = { name: 'one', url: system.together().url, folder: system.folder, part: manager }
  await leading([one])
  const folder = join(system.folder, 'other')
  const other = await startOneOfSeveral(stack, {
    name: 'other',
    folder,
    environment: await settingsOf(manager.pid),
    keysFrom: system.folder,
    later: { NODE_ENV: 'test', TEST_FAILPOINTS: failpointsOf({ folder }) },
  })
  await other.part.kill()
  await other.part.start()
  const name = `crash-leader-${process.pid}`
  const remote = await system.addRepository(name, filesOf(world, name, 0))
  return { world, managers: [one, other], name, remote }
}

/** Those that are not about where it is. */
async function settingsOf(pid: number): Promise<Record<string, string>> {
  const lines = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0')
  const own = /^FAIRLEAD_(?:DATA|LISTEN|ADMIN_TOKEN_FILE|PEER_\w+)=/
  const shared = lines.filter(line => line.startsWith('FAIRLEAD_') && !own.test(line))
  return Object.fromEntries(shared.map(line => line.split(/=(.*)/s, 2)))
}

async function crashOnce(
  pair: Pair,
  { failpoint, fate }: LeaderCrash,
  version: number,
): Promise<LeaderOutcome> {
  const { world, managers, name, remote } = pair
  const leader = await leading(managers)
  const standby = managers.find(each => each !== leader) as OneOfSeveral
  const client = clientOf(pair, standby)
  await remote.push(filesOf(world, name, version))
  await writeFile(failpointsOf(leader), failpoint)
  // Through the one that stands by: what it hands on must be there as well.
  const asked = await within('the deployment to be asked for', () =>
    client.send<DeploymentDocument>('POST', `/apps/${name}/deploy`, {}),
  )
  // From here on, through whatever happens to the manager that sends them.
  const enough = new AbortController()
  const following = Array.fromAsync(
    client.events(`/deployments/${asked.found.id}/log`, enough.signal),
    ({ data }) => (data as Partial<LogLineDocument>).seq,
  )
  const deadline = performance.now() + 120_000
  const isStopped = await untilStopped([leader.part], () => performance.now() > deadline)
  await rm(failpointsOf(leader), { force: true })
  if (fate === 'killed') {
    await leader.part.kill()
  }
  const { ms } = await within('the other one to lead', () => leads(standby))
  const end = await within('the end of the deployment', async () => {
    const detail = await client.get<DeploymentDetail>(`/deployments/${asked.found.id}`)
    return detail.finished_at === null ? undefined : detail
  }).catch(() => undefined)
  const before = await countOf(client)
  const rest = fate === 'stopped' ? await goOn(leader) : []
  await leader.part.start()
  const { body } = await world.system.visit(`${name}.localhost`)
  const containers = await listFromEngine<{ State: string }>(DOCKER_SOCKET, '/containers/json', {
    label: [`${LABEL.app}=${name}`],
  })
  const stored = (await client.text(`/deployments/${asked.found.id}/log`)).trim().split('\n')
  const gone = setTimeout(() => enough.abort(), 30_000)
  const followed = (await following.catch(() => [])).filter(seq => seq !== undefined)
  clearTimeout(gone)
  return {
    ledMs: ms,
    finishedMs: end?.ms ?? Number.NaN,
    wrong: [
      ...(isStopped ? [] : ['did not happen: nothing stopped there']),
      ...(end?.found.outcome === 'deployed'
        ? []
        : [`lost: ${end?.found.state} ${end?.found.outcome} ${end?.found.error?.message ?? ''}`]),
      ...(body === `version ${version}` ? [] : [`unknown: visitors read ${JSON.stringify(body)}`]),
      ...(containers.length === 1 ? [] : [`duplicated: ${containers.length} containers`]),
      ...(before === (await countOf(client)) ? [] : ['duplicated: deployments were begun']),
      ...(followed.length === stored.length && followed.every((seq, index) => seq === index + 1)
        ? []
        : [`lost: of ${stored.length} lines of the log who followed it got ${followed.join()}`]),
      ...rest,
    ],
  }
}

/** A leader that was stopped for so long ends as soon as it goes on, and says why. */
async function goOn(leader: OneOfSeveral): Promise<readonly string[]> {
  process.kill(leader.part.pid, 'SIGCONT')
  const said = await within('the stopped one to end', async () => {
    const log = await logOf(leader)
    const isGone = !existsSync(`/proc/${leader.part.pid}`)
    return (isGone && /"code":"LEADERSHIP_LOST"/.test(log)) || undefined
  }).catch(() => undefined)
  return said ? [] : ['unknown: the leader that was stopped goes on']
}

async function countOf(client: Client): Promise<number> {
  return (await client.get<{ items: unknown[] }>('/deployments?limit=100')).items.length
}

async function leading(managers: readonly OneOfSeveral[]): Promise<OneOfSeveral> {
  const { found } = await within('one of them to lead', async () => {
    for (const manager of managers) {
      if (await leads(manager).catch(() => false)) {
        return manager
      }
    }
    return undefined
  })
  return found
}

async function leads({ url }: OneOfSeveral): Promise<true | undefined> {
  const ready = (await (await fetch(`${url}/health/ready`)).json()) as { store?: boolean }
  return ready.store || undefined
}

function clientOf({ world }: Pair, { url }: OneOfSeveral): Client {
  return createClient({ managerUrl: url, token: undefined, tokenFile: world.system.together().tokenFile })
}

function failpointsOf({ folder }: Pick<OneOfSeveral, 'folder'>): string {
  return join(folder, 'manager/failpoint')
}

function filesOf({ system }: CrashWorld, name: string, version: number) {
  const settings = [
    'target: container',
    'port: 8080',
    'drain: 0s',
    'stop_grace: 1s',
    'verify: { settle: 300ms }',
  ]
  const lines = ['version: 1', 'apps:', `  ${name}:`, ...settings.map(line => `    ${line}`), '']
  return {
    'index.html': `version ${version}`,
    Dockerfile: `FROM ${system.baseImage}\nCOPY index.html /www/index.html\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n`,
    'fairlead.yaml': lines.join('\n'),
  }
}
