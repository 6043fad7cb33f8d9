import { readDeployment } from '#manager/deployments/queries.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import type { TestStore } from '#manager/deployments/test-store.ts'
import { setSecret } from '#manager/secrets/queries.ts'
import { createSealer } from '#manager/secrets/seal.ts'
import { anInput, FILE } from '#targets/test-compose.ts'
import type { PipelineParts } from './step.ts'
import type { FakeAgents } from './test-agents.ts'
import { openTestQueue } from './test-queue.ts'

/** Deploys, and closes the manager while the worker is at this command. Gives ids of the deployment and of the command. */
export async function stoppedIn(
  store: TestStore,
  agents: FakeAgents,
  { appId, command }: { readonly appId: string; readonly command: string },
): Promise<{ readonly id: string; readonly commandId: string }> {
  const reached = Promise.withResolvers<string>()
  const works = agents.answers[command]
  agents.answers[command] = (_data, { id, signal }) => {
    reached.resolve(id)
    const { promise, reject } = Promise.withResolvers<never>()
    signal?.addEventListener('abort', () => reject(signal.reason))
    return promise
  }
  const { id } = await requestDeployment(store, {
    appId,
    kind: 'deploy',
    trigger: { kind: 'api', by: 'ada' },
  })
  const queue = openTestQueue(store, agents)
  queue.wake()
  const commandId = await Promise.race([
    reached.promise,
    queue.idle().then(async () => {
      throw new Error(JSON.stringify((await readDeployment(store.db, id)).error))
    }),
  ])
  await queue.close()
  if (works) {
    agents.answers[command] = works
  }
  return { id, commandId }
}

/** The next manager takes it up and brings it to its end. */
export async function adopted(
  store: TestStore,
  agents: FakeAgents,
  id: string,
  changes: Partial<PipelineParts> = {},
) {
  const before = agents.told.length
  const queue = openTestQueue(store, agents, changes)
  queue.wake()
  await queue.idle()
  await queue.close()
  const releases = await store.db.selectFrom('releases').selectAll().where('deployment_id', '=', id).execute()
  return { ...(await readDeployment(store.db, id)), told: agents.told.slice(before), releases }
}

export async function setAppSecret(
  store: TestStore,
  secret: { readonly appId: string; readonly name: string; readonly value: string },
): Promise<void> {
  await setSecret({ ...store, sealer: createSealer(Buffer.alloc(32, 1)) }, secret)
}

/** Teaches the worker two Compose services of which nothing runs. Gives what it was told to render with. */
export function teachCompose(agents: FakeAgents): { readonly rendered: unknown[] } {
  const { found } = anInput({ web: 'none', db: 'none', route: null, released: false })
  const checkout = agents.answers['repository.checkout']
  const rendered: unknown[] = []
  Object.assign(agents.answers, {
    'repository.checkout': (...told: Parameters<NonNullable<typeof checkout>>) => ({
      ...(checkout?.(...told) as object),
      paths: ['compose.yaml'],
      texts: { 'compose.yaml': FILE },
    }),
    'compose.render': (data: Record<string, unknown>) => {
      rendered.push(data.secrets)
      return found.render
    },
    'compose.observe': () => ({ containers: [] }),
    'image.content': () => found.images,
    'route.observe': () => found.routes,
    'compose.up': () => COMPOSE_UP,
    'compose.verify': () => ({ containers: [], unpinned: [] }),
    'compose.restore': () => ({ services: [], touched: [] }),
    'compose.retire': () => ({ removed: [] }),
  })
  return { rendered }
}

const COMPOSE_UP = {
  render: 'e'.repeat(64),
  services: [],
  touched: [],
  addresses: { 'web.shop': '10.1.0.32' },
  pinned: {},
}
