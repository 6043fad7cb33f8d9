import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import { STACK_NOT_FOUND } from '#commands/stack-errors.ts'
import { stackFind } from '#commands/stack-find.ts'
import { newId } from '#lib/id.ts'
import type { DeploymentsContext } from '#manager/deployments/request.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import { isConstraintViolation } from '#manager/store/store-error.ts'
import type { Tables } from '#manager/store/tables.ts'
import { STACK_ON_SEVERAL_HOSTS } from './signed-errors.ts'

/** A worker that is being restarted is back by then. */
const WAIT_MS = 10_000
/** Stands for the target: how it runs is in the folder. */
const TARGET = 'stack'
const APP_NAME = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/

/** The host that has the folder of this stack, or STACK_NOT_FOUND. Every worker is asked: folders come and go. */
export async function hostOfStack(
  { db, agents }: Pick<PipelineParts, 'db' | 'agents'>,
  stack: string,
): Promise<string> {
  const rows = await db
    .selectFrom('hosts')
    .select('name')
    .where('role', '=', 'worker')
    .orderBy('name')
    .execute()
  const answers = await Promise.allSettled(
    rows.map(async ({ name }) => {
      const { command, params } = { command: stackFind.name, params: { stack } }
      const { deadlineMs } = stackFind
      const answer = await agents.tell(name, { id: newId(), command, params, deadlineMs, waitMs: WAIT_MS })
      return (answer as { found: boolean }).found ? [name] : []
    }),
  )
  const [host, ...others] = answers.flatMap(each => (each.status === 'fulfilled' ? each.value : []))
  if (others.length > 0 && host !== undefined) {
    throw STACK_ON_SEVERAL_HOSTS(stack, [host, ...others])
  }
  if (host !== undefined) {
    return host
  }
  // Nobody knows what the host has that did not answer.
  const away = answers.find(each => each.status === 'rejected')
  throw away ? away.reason : STACK_NOT_FOUND(stack)
}

/** Id of the app that is this folder of this host; made when it is asked for the first time. */
export async function appOfStack(
  { db, clock, events }: DeploymentsContext,
  { stack, host }: { readonly stack: string; readonly host: string },
): Promise<string> {
  for (const name of [stack, otherName(stack)].filter(each => APP_NAME.test(each))) {
    const known = await idOf(db, stack, host)
    if (known !== undefined) {
      return known
    }
    const now = clock.now()
    const row = { id: newId(), name, entry: stack, target: TARGET, stack, host, repository_id: null }
    const times = { overrides: '{}', version: 1, created_at: now, updated_at: now }
    try {
      await db
        .insertInto('apps')
        .values({ ...row, ...times })
        .execute()
      events.publish('app', { id: row.id, app: name, state: 'created' })
      return row.id
    } catch (error) {
      // The name is another app's, or somebody else was faster.
      if (!isConstraintViolation(error)) {
        throw error
      }
    }
  }
  const made = await idOf(db, stack, host)
  if (made === undefined) {
    throw new Error(`there is no free name for the app of the stack ${stack}`)
  }
  return made
}

async function idOf(db: Kysely<Tables>, stack: string, host: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('apps')
    .select('id')
    .where('stack', '=', stack)
    .where('host', '=', host)
    .executeTakeFirst()
  return row?.id
}

/** Of a stack whose own name no app can have, or another app has. */
function otherName(stack: string): string {
  const readable = stack.replaceAll(/[_-]+/g, '-').slice(0, 30)
  const mark = createHash('sha256').update(stack).digest('hex').slice(0, 8)
  return `${readable}-${mark}`.replaceAll('--', '-')
}
