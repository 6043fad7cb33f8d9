import { ASLEEP } from '#commands/container-data.ts'
import { readObserved } from '#manager/observation/seen-state.ts'
import type { NotebookRecord } from './list-notebooks.ts'

/** The word of a badge: runtime ups and downs are told by it, never in Git. */
export type ServerState = 'live' | 'starting' | 'failed' | 'idle'

/** What becomes of it now, else what its worker saw last. Stopped for want of work is idle: it wakes when it is opened. */
export function serverState({
  status,
  observed,
  at_work,
}: Pick<NotebookRecord, 'status' | 'observed' | 'at_work'>): ServerState {
  if (at_work > 0 || status === 'building') {
    return 'starting'
  }
  if (status === 'failed') {
    return 'failed'
  }
  const { containers = [] } = readObserved({ observed }) ?? {}
  if (containers.length === 0 || containers.some(({ state }) => state === 'running')) {
    return 'live'
  }
  return containers.some(({ state }) => state === ASLEEP) ? 'idle' : 'failed'
}
