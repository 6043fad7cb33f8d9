import { listDeployments } from '#manager/deployments/queries.ts'
import { NOTEBOOK_NOT_FOUND } from '#manager/notebooks/errors.ts'
import type { NotebookRecord } from '#manager/notebooks/list-notebooks.ts'
import { inert, textOf } from './deployment-log.ts'
import { timeText } from './documents.ts'
import type { ApiParts } from './parts.ts'

/**
 * How the last deployment of a project that failed ended, and all that it printed; where none failed, of the last one.
 * Its address has no id, because it stands in Git, where the same failure must be the same text.
 */
export async function notebookLog(
  { db, logs }: Pick<ApiParts, 'db' | 'logs'>,
  { app }: Pick<NotebookRecord, 'app'>,
): Promise<AsyncIterable<string>> {
  const [failed] = await listDeployments(db, { app, state: 'failed', limit: 1 })
  const [newest] = failed ? [failed] : await listDeployments(db, { app, limit: 1 })
  if (!newest) {
    throw NOTEBOOK_NOT_FOUND(`"${app}" with a deployment`)
  }
  const { id, state, createdAt, error } = newest
  const problems = (error?.problems ?? []).map(({ file, line, message }) =>
    [...(file === undefined ? [] : [[file, line].filter(part => part).join(':')]), message].join(' '),
  )
  const head = [
    `${app}: deployment ${id} of ${timeText(createdAt)}, ${state}`,
    ...(error ? [error.message, ...problems, error.hint] : []),
  ]
  return (async function* () {
    yield `${head.map(inert).join('\n')}\n\n`
    yield* textOf(logs.read(id, 0))
  })()
}
