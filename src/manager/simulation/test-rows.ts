import assert from 'node:assert/strict'
import type { SimulatedWorld } from './test-world.ts'

export const ENDED = ['succeeded', 'failed', 'cancelled', 'superseded']

/** A deployment as the manager shows it. */
export interface DeploymentRow {
  readonly id: string
  readonly app: string
  readonly kind: string
  readonly state: string
  readonly commit: string | null
  readonly error: { readonly code: string } | null
  readonly trigger: { readonly kind: string }
  readonly wanted_commit: string | null
  readonly wanted_release: string | null
  readonly created_at: string
  readonly started_at: string | null
  readonly finished_at: string | null
  readonly outcome: string | null
  readonly approved: { readonly plan_hash: string } | null
}

/** Newest first. */
export async function allRows(world: SimulatedWorld): Promise<DeploymentRow[]> {
  const rows: DeploymentRow[] = []
  for (let path = '/deployments?limit=100'; path !== ''; ) {
    const body = (await world.api('GET', path))?.body as unknown as { items: DeploymentRow[]; next: string }
    rows.push(...body.items)
    path = body.next ? `/deployments?limit=100&cursor=${body.next}` : ''
  }
  return rows
}

export async function rowsOf(world: SimulatedWorld, ids: readonly string[]): Promise<DeploymentRow[]> {
  const rows: DeploymentRow[] = []
  for (const id of ids) {
    const answer = await world.api('GET', `/deployments/${id}`)
    if (answer?.status === 200) {
      rows.push(answer.body as unknown as DeploymentRow)
    }
  }
  return rows
}

/** Nothing is left in the queue, and nothing ended with a defect of ours: people would be told to report it. */
export function allEnded(rows: readonly DeploymentRow[]): void {
  const wrong = rows.filter(row => !ENDED.includes(row.state) || row.error?.code === 'INTERNAL')
  assert.deepEqual(wrong, [])
}

/** What a person wants by name, and nothing else since, gives way to nothing. */
export function checkNotPushedAside(
  app: string,
  rows: readonly DeploymentRow[],
  id: string | undefined,
): void {
  const named = rows.find(row => row.id === id)
  assert.notEqual(named?.state, 'superseded', `${app}: something took the place of what a person wanted`)
}

/** Whether a deployment that wanted the tip found this one, so that it is no news any more. */
export function hasSeen(rows: readonly DeploymentRow[], tip: string, movedAt: number): boolean {
  return rows.some(
    ({ kind, commit, wanted_commit, created_at }) =>
      kind === 'deploy' && wanted_commit === null && commit === tip && Date.parse(created_at) >= movedAt,
  )
}
