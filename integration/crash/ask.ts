import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'
import { systemClock } from '#lib/clock.ts'
import { FairleadError } from '#lib/errors.ts'
import type { Work } from './case.ts'
import type { CrashApp } from './crash-app.ts'
import type { CrashWorld } from './crash-world.ts'
import type { Serving } from './what-runs.ts'

const ENDS_WITHIN_MS = 240_000
const ASK_AGAIN_MS = 50

/** What was asked of the manager, which may die before it answers. */
export interface Asked {
  readonly work: Work
  readonly app: string
  /** What visitors read when it is done; undefined for a stop and a removal. */
  readonly text: string | undefined
  readonly commit: string | undefined
  /** Of the plan that is approved. */
  readonly hash?: string
  readonly deployment: Promise<string | undefined>
}

/** What the work starts from. */
export interface Scene {
  /** What visitors read before it. */
  readonly before: Serving
  /** What they read before that: where a rollback leads to. */
  readonly earlier?: string
  /** The deployment whose plan waits for an approval. */
  readonly waiting?: Waiting
}

export interface Waiting {
  readonly id: string
  readonly hash: string
  readonly text: string
  readonly commit: string
}

export async function ask(
  world: CrashWorld,
  app: CrashApp,
  { work, earlier, waiting }: Partial<Scene> & { readonly work: Work },
): Promise<Asked> {
  const asked = { work, app: app.name }
  if (work === 'remove') {
    return { ...asked, text: undefined, commit: undefined, deployment: removal(world, app.name) }
  }
  if (work === 'stop') {
    const deployment = told(world, { app: app.name, verb: 'stop', kind: 'stop' })
    return { ...asked, text: undefined, commit: undefined, deployment }
  }
  if (earlier !== undefined) {
    const deployment = told(world, { app: app.name, verb: 'rollback', kind: 'rollback' })
    return { ...asked, text: earlier, commit: app.commitOf(earlier), deployment }
  }
  if (waiting) {
    return { ...asked, ...waiting, deployment: approval(world, waiting) }
  }
  const { text, commit, deployments } = await app.release(work === 'failing' ? 'ill' : 'good')
  return { ...asked, text, commit, deployment: deployments.then(([id]) => id) }
}

/** Lets the app wait for approvals and pushes to it; gives what waits then. */
export async function letWait(world: CrashWorld, app: CrashApp): Promise<Waiting> {
  const { client } = world.system.together()
  await client.send('PATCH', `/apps/${app.name}`, { approval: 'required' })
  const { text, commit, deployments } = await app.release('good')
  const [id = ''] = await deployments
  const deadline = systemClock.monotonic() + ENDS_WITHIN_MS
  for (;;) {
    const { state, plan_hash: hash } = await client.get<DeploymentDetail>(`/deployments/${id}`)
    if (state === 'waiting' && hash !== null) {
      return { id, hash, text, commit }
    }
    if (systemClock.monotonic() > deadline) {
      throw new Error(`${app.name} does not wait for an approval: ${state}`)
    }
    await systemClock.sleep(ASK_AGAIN_MS)
  }
}

/** The manager knows of it before anything is killed. */
export async function cancel(world: CrashWorld, { deployment }: Asked): Promise<void> {
  await world.system.together().client.send('POST', `/deployments/${await deployment}/cancel`)
}

/** How the deployment ended, or undefined when it does not end. */
export async function untilEnded(world: CrashWorld, asked: Asked): Promise<DeploymentDetail | undefined> {
  const { client } = world.system.together()
  const id = await asked.deployment
  const deadline = systemClock.monotonic() + ENDS_WITHIN_MS
  while (systemClock.monotonic() < deadline) {
    const found = await client.get<DeploymentDetail>(`/deployments/${id}`).catch(error => error as Error)
    if (!(found instanceof Error) && found.finished_at !== null) {
      return found
    }
    // The record of an app and all its deployments go with its removal.
    if (asked.work === 'remove' && found instanceof FairleadError && found.code === 'DEPLOYMENT_NOT_FOUND') {
      return { state: 'succeeded', outcome: 'removed' } as DeploymentDetail
    }
    await systemClock.sleep(ASK_AGAIN_MS)
  }
  return undefined
}

async function removal(world: CrashWorld, app: string): Promise<string | undefined> {
  const { client } = world.system.together()
  return await insist(
    async () => (await client.send<DeploymentDocument>('DELETE', `/apps/${app}`)).id,
    async code => {
      if (code === 'APP_BEING_REMOVED') {
        return { id: (await newest(world, app, 'remove'))?.id }
      }
      return code === 'APP_NOT_FOUND' ? { id: undefined } : undefined
    },
  )
}

interface Telling {
  readonly app: string
  readonly verb: 'rollback' | 'stop'
  readonly kind: DeploymentDocument['kind']
}

/** Asks for it once: if the answer is lost, a new deployment of that kind is what it led to. */
async function told(world: CrashWorld, { app, verb, kind }: Telling): Promise<string | undefined> {
  const { client } = world.system.together()
  const last = (await newest(world, app, kind))?.id
  return await insist(
    async () => (await client.send<DeploymentDocument>('POST', `/apps/${app}/${verb}`, {})).id,
    async () => {
      const id = (await newest(world, app, kind))?.id
      return id === last ? undefined : { id }
    },
  )
}

/** Approving the same plan again does nothing. */
async function approval(world: CrashWorld, { id, hash }: Waiting): Promise<string | undefined> {
  const { client } = world.system.together()
  return await insist(
    async () => (await client.send<DeploymentDocument>('POST', `/deployments/${id}/approve`, { hash })).id,
    async code => {
      if (code === 'PLAN_IS_ANOTHER' || code === 'NOT_WAITING') {
        throw new Error(`its plan cannot be approved after the crash: ${code}`)
      }
      return undefined
    },
  )
}

async function newest(world: CrashWorld, app: string, kind: string): Promise<DeploymentDocument | undefined> {
  const { client } = world.system.together()
  const { items } = await client.get<{ items: DeploymentDocument[] }>(`/deployments?app=${app}`)
  return items.find(each => each.kind === kind)
}

/** The answer may get lost in the crash: then what was asked for is there all the same, or is asked for again. */
async function insist(
  request: () => Promise<string>,
  otherwise: (code: string) => Promise<{ readonly id: string | undefined } | undefined>,
): Promise<string | undefined> {
  const deadline = systemClock.monotonic() + ENDS_WITHIN_MS
  while (systemClock.monotonic() < deadline) {
    try {
      return await request()
    } catch (error) {
      const found = await otherwise(codeOf(error)).catch(nothingIfAway)
      if (found) {
        return found.id
      }
      await systemClock.sleep(ASK_AGAIN_MS)
    }
  }
  throw new Error('the manager does not answer')
}

function nothingIfAway(error: unknown): undefined {
  if (!(error instanceof FairleadError)) {
    throw error
  }
}

function codeOf(error: unknown): string {
  return error instanceof FairleadError ? error.code : ''
}
