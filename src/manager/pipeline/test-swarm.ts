import { deepEqual } from 'node:assert/strict'
import { SWARM_PORT_TAKEN, SWARM_ROLLED_BACK } from '#commands/swarm-errors.ts'
import { systemClock } from '#lib/clock.ts'
import { listHistory } from '#manager/deployments/queries.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from './test-agents.ts'
import { openTestQueue } from './test-queue.ts'

const PUSH = { kind: 'webhook', by: 'github' } as const
const HASH = 'a'.repeat(64)

/** What a repository of stacks says, and what a swarm makes of it. */
interface World {
  /** Names of the stacks that the tip of the branch has files of; the first letter says which port each wants. */
  files: readonly string[]
  /** Other files of the tip, by path. */
  texts: Readonly<Record<string, string>>
  /** What its message asks for. */
  actions: readonly string[]
  /** Stack -> the ports that it publishes, where they are others. */
  portsOf: Readonly<Record<string, readonly number[]>>
  /** Stack -> its app, as a swarm has them. */
  readonly running: Map<string, string>
  /** What happened in the swarm. */
  readonly done: string[]
  /** Stacks whose Compose file is refused, or whose tasks fail. */
  readonly broken: Set<string>
  readonly ill: Set<string>
}

export interface TestSwarm extends World {
  readonly store: TestStore
  readonly agents: FakeAgents
  readonly queue: Queue
  /** A repository whose files made these apps, which all run. */
  made(names: readonly string[]): Promise<void>
  /** Files of these stacks alone are at the tip; all apps of the repository and what follows have ended. */
  push(names: readonly string[], actions?: readonly string[]): Promise<void>
  /** Until nothing is left to do. */
  settle(): Promise<void>
  appNames(): Promise<string[]>
  /** The last code or outcome of an app's deployments. */
  lastOf(app: string): Promise<string | undefined>
  close(): Promise<void>
}

export async function openTestSwarm(): Promise<TestSwarm> {
  const store = await openTestStore()
  const world: World = {
    ...{ files: [], texts: {}, actions: [], portsOf: {} },
    ...{ running: new Map(), done: [], broken: new Set(), ill: new Set() },
  }
  let commits = 0
  const agents = createFakeAgents({
    ...answersOf(world),
    'repository.checkout': (...asked) => ({
      ...(workingAnswers()['repository.checkout']?.(...asked) as object),
      commit: String(commits).padStart(40, 'a'),
      paths: [...world.files.map(name => `docker-compose-${name}.yml`), ...Object.keys(world.texts)],
      ...{ texts: {}, truncated: false, actions: world.actions },
    }),
  })
  const queue = openTestQueue(store, agents)
  const settle = async () => {
    queue.wake()
    await queue.idle()
    // The queue counts as idle while the end of a burst is awaited.
    while (await isAnyQueued(store)) {
      await systemClock.sleep(50)
      await queue.idle()
    }
  }
  const push = async (names: readonly string[], actions: readonly string[] = []) => {
    Object.assign(world, { files: names, actions })
    commits += 1
    for (const { id } of await store.db.selectFrom('apps').select('id').execute()) {
      await requestDeployment(store, { appId: id, kind: 'deploy', trigger: PUSH })
    }
    await settle()
  }
  return Object.assign(world, {
    ...{ store, agents, queue, push, settle },
    async made(names: readonly string[]) {
      await makeRepository(store, names)
      await push(names)
      deepEqual([...world.running.keys()].sort(), names)
      world.done.length = 0
    },
    async appNames() {
      const rows = await store.db.selectFrom('apps').select('name').orderBy('name').execute()
      return rows.map(({ name }) => name)
    },
    async lastOf(app: string) {
      const [last] = await listHistory(store.db, { app, limit: 1 })
      return last?.error?.code ?? last?.outcome
    },
    async close() {
      await queue.close()
      await store.close()
    },
  })
}

/** What the file of a stack in the first spelling says. */
export function composeOf(path: string, portsOf: World['portsOf'] = {}): string {
  const ports = portsFor(portsOf, /-(\w+)\.yml$/.exec(path)?.[1] ?? '').map(port => `${port}:80`)
  return JSON.stringify({ services: { web: { image: 'a:1', ports } } })
}

function answersOf(world: World): FakeAgents['answers'] {
  return {
    ...workingAnswers(),
    'repository.read': ({ paths: wanted }) => ({
      texts: Object.fromEntries(
        (wanted as string[]).map(path => [path, world.texts[path] ?? composeOf(path, world.portsOf)]),
      ),
    }),
    'swarm.observe': () => ({ nodes: [{ name: 'n', state: 'ready', availability: 'active' }], services: [] }),
    'swarm.render': ({ stack }) => {
      if (world.broken.has(String(stack))) {
        throw new Error('the Compose file is wrong')
      }
      return rendered(world, String(stack))
    },
    'swarm.recall': ({ stack }) => ({ release: rendered(world, String(stack)) }),
    'swarm.deploy': ({ stack, app }) => deploy(world, String(stack), String(app)),
    'swarm.verify': () => ({ services: [], answers: [] }),
    'swarm.restore': ({ stack }) => {
      world.running.delete(String(stack))
      return { services: [] }
    },
    'swarm.tidy': () => ({ removed: [] }),
    'swarm.down': ({ app }) => down(world, String(app)),
  }
}

function portsFor(portsOf: World['portsOf'], stack: string): readonly number[] {
  return portsOf[stack] ?? [8000 + (stack.codePointAt(0) ?? 0)]
}

function rendered({ portsOf }: World, stack: string) {
  const ports = portsFor(portsOf, stack).map(published => ({
    ...{ target: 80, published, protocol: 'tcp', mode: 'ingress' },
  }))
  const hash = ports.length > 0 ? HASH : 'b'.repeat(64)
  const web = { hash, image: 'a:1', replicas: 1, ports, isBeside: true, volumes: [] }
  return { render: HASH, services: { web }, findings: [], warnings: [] }
}

function deploy({ portsOf, running, done, ill }: World, stack: string, app: string) {
  const wanted = portsFor(portsOf, stack)
  const other = [...running.keys()].find(
    each => each !== stack && portsFor(portsOf, each).some(port => wanted.includes(port)),
  )
  if (other !== undefined) {
    throw SWARM_PORT_TAKEN(stack, `port '${wanted.join()}' is already in use by service '${other}_web'`)
  }
  running.set(stack, app)
  done.push(`deploy ${stack}`)
  if (ill.has(stack)) {
    throw SWARM_ROLLED_BACK('web', 'it fails')
  }
  return { render: HASH, services: [], fingerprints: {}, images: {} }
}

function down({ running, done }: World, app: string) {
  const stacks = [...running].filter(([, owner]) => owner === app).map(([stack]) => stack)
  for (const stack of stacks) {
    running.delete(stack)
    done.push(`down ${stack}`)
  }
  return { stacks }
}

async function makeRepository(store: TestStore, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await addApp(store, name, 'stack')
  }
  const { id } = await store.db
    .selectFrom('repositories')
    .select('id')
    .where('name', '=', names[0] ?? '')
    .executeTakeFirstOrThrow()
  await store.db.updateTable('apps').set({ by_files: 'stack', repository_id: id }).execute()
  await store.db.deleteFrom('repositories').where('id', '!=', id).execute()
  // Words of messages count where the repository is private.
  const settings = { name: 'infra', auto_apps: 1, is_private: 1 } as const
  await store.db.updateTable('repositories').set(settings).execute()
}

async function isAnyQueued({ db }: TestStore): Promise<boolean> {
  const queued = await db
    .selectFrom('deployments')
    .select('id')
    .where('state', 'in', ['queued', 'running'])
    .executeTakeFirst()
  return queued !== undefined
}
