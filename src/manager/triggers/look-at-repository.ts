import type { Selectable } from 'kysely'
import { asFairleadError, type FairleadError, toWire, type WireError } from '#lib/errors.ts'
import { AGENT_OFFLINE, AGENT_REFUSED, AGENT_UNREACHABLE } from '#manager/agents/errors.ts'
import { appsOfRepository } from '#manager/apps/queries.ts'
import type { DeploymentsContext } from '#manager/deployments/request.ts'
import { type Message, problemMessage } from '#manager/notifications/message.ts'
import { noteMessage } from '#manager/outbox/note-message.ts'
import { isStoreTrouble } from '#manager/store/store-error.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { appsBehind, isBeingRead } from './apps-behind.ts'
import { coverTip } from './cover-tip.ts'

type RepositoryRow = Selectable<RepositoryTable>

export interface LookContext extends DeploymentsContext {
  /** Asks the repository's worker for the commit at the tip of the branch. */
  readonly tip: (repository: RepositoryRow) => Promise<string>
  /** Creates the apps that the repository describes and nobody has created yet, with their first deployments. */
  readonly discover: (repository: RepositoryRow) => Promise<unknown>
  /** Looks at the other repositories that its apps take files of. */
  readonly lookFurther: (repository: RepositoryRow) => Promise<unknown>
}

export interface Look {
  /** Looks in a row that failed, this one included; 0 when it worked. */
  readonly failures: number
  /** `never`: only a person can help; `soon`: the worker is away, or reads the branch, just now. */
  readonly next: 'as-usual' | 'soon' | 'never'
  /** How the Git server was; undefined when it was not asked. */
  readonly server: ServerHealth | undefined
}

/** `ms`: it asked to be left alone for so long. */
export type ServerHealth = 'well' | 'troubled' | { readonly ms: number }

const WELL: Look = { failures: 0, next: 'as-usual', server: 'well' }
/** Looks that fail for a reason that time does not heal, before it is given up. */
const PATIENCE = 3

/** Whether it is looked at no more until somebody changes or checks it, or a webhook tells of a push. */
export function isPaused({
  problem,
  poll_failures,
}: Pick<RepositoryRow, 'problem' | 'poll_failures'>): boolean {
  return problem !== null && poll_failures >= PATIENCE && (JSON.parse(problem) as WireError).retry === 'never'
}

/** Asks for the tip of the branch and requests deployments of the repository's apps that are behind it. */
export async function lookAtRepository(context: LookContext, repository: RepositoryRow): Promise<Look> {
  try {
    const tip = await context.tip(repository)
    const isNews = tip !== repository.last_tip || repository.problem !== null
    const seen = { tip, now: context.clock.now() }
    if (!isNews && (await appsBehind(context.db, repository, seen)).length === 0) {
      await noteSeen(context, repository)
      await context.lookFurther(repository)
      return WELL
    }
    if (await isBeingRead(context.db, repository.id)) {
      return { ...WELL, next: 'soon' }
    }
    return await takeTip(context, repository, tip)
  } catch (error) {
    if (isStoreTrouble(error)) {
      throw error
    }
    return await noteProblem(context, repository, asFairleadError(error))
  }
}

async function takeTip(context: LookContext, repository: RepositoryRow, tip: string): Promise<Look> {
  const moved = tip !== repository.last_tip
  const problem = moved && repository.auto_apps === 1 ? await discoverFirst(context, repository) : undefined
  await inTransaction(context.db, async db => {
    await coverTip({ ...context, db }, repository, tip)
    await store({ ...context, db }, repository, {
      last_tip: tip,
      poll_failures: 0,
      problem: problem && wired(problem),
    })
    if (problem) {
      await noteMessage({ ...context, db }, unreadable(context, repository, problem))
    }
  })
  context.events.publish('repository', {
    id: repository.id,
    repository: repository.name,
    state: problem ? 'problem' : 'tip',
    tip,
  })
  return WELL
}

/** With apps, the deployment's own step creates what is missing; the first one has nobody else to create it. */
async function discoverFirst(
  context: LookContext,
  repository: RepositoryRow,
): Promise<FairleadError | undefined> {
  if ((await appsOfRepository(context.db, repository.id)).length > 0) {
    return undefined
  }
  try {
    await context.discover(repository)
    return undefined
  } catch (error) {
    const problem = asFairleadError(error)
    // What is wrong in the repository stays wrong until the next push; all else is tried again.
    if (problem.retry !== 'never') {
      throw problem
    }
    return problem
  }
}

async function noteSeen(context: LookContext, repository: RepositoryRow): Promise<void> {
  if (repository.poll_failures > 0) {
    await store(context, repository, { poll_failures: 0, problem: null })
  }
}

async function noteProblem(
  context: LookContext,
  repository: RepositoryRow,
  error: FairleadError,
): Promise<Look> {
  // The repository is not at fault while its worker is away.
  const isAway = [AGENT_OFFLINE, AGENT_UNREACHABLE, AGENT_REFUSED].some(kind => kind.matches(error))
  const failures = isAway ? 0 : repository.poll_failures + (typeof error.retry === 'object' ? 0 : 1)
  const problem = wired(error)
  if (problem !== repository.problem || failures !== repository.poll_failures) {
    await inTransaction(context.db, async db => {
      await store({ ...context, db }, repository, { poll_failures: failures, problem })
      // Not after the first stumble, and once.
      if (failures === PATIENCE) {
        await noteMessage({ ...context, db }, unreadable(context, repository, error))
      }
    })
    context.events.publish('repository', {
      id: repository.id,
      repository: repository.name,
      state: 'problem',
      code: error.code,
    })
  }
  if (isAway) {
    return { failures, next: 'soon', server: undefined }
  }
  const isHopeless = error.retry === 'never' && failures >= PATIENCE
  return { failures, next: isHopeless ? 'never' : 'as-usual', server: healthAfter(error) }
}

/** A server that says no is well. */
function healthAfter({ retry }: FairleadError): ServerHealth {
  if (typeof retry === 'object') {
    return { ms: retry.afterSeconds * 1000 }
  }
  return retry === 'never' ? 'well' : 'troubled'
}

async function store(
  { db, clock }: DeploymentsContext,
  repository: RepositoryRow,
  columns: { last_tip?: string; poll_failures: number; problem: string | null | undefined },
): Promise<void> {
  await db
    .updateTable('repositories')
    .set({ ...columns, problem: columns.problem ?? null, last_polled_at: clock.now() })
    .where('id', '=', repository.id)
    .execute()
}

function unreadable({ clock }: LookContext, { name }: RepositoryRow, error: FairleadError): Message {
  return problemMessage(
    { repository: name, what: 'it cannot be deployed from', error: toWire(error) },
    clock.now(),
  )
}

function wired(error: FairleadError): string {
  return JSON.stringify(toWire(error))
}
