import assert from 'node:assert/strict'
import type { DeploymentRow } from './test-rows.ts'
import { APPS, type AppName, type SimulatedWorld } from './test-world.ts'

/** A person who wants to see plans first, and what has to be true then. */
export class Approvals {
  /** Since when an app certainly needs approval. */
  readonly #guarded = new Map<string, number>()
  readonly #given = new Set<string>()
  readonly #world: SimulatedWorld

  constructor(world: SimulatedWorld) {
    this.#world = world
  }

  async guard(app: AppName): Promise<void> {
    const answer = await this.#world.api('PATCH', `/apps/${app}`, { approval: 'required' })
    if (answer?.status === 200 && !this.#guarded.has(app)) {
      this.#guarded.set(app, this.#world.clock.now())
    }
  }

  async trust(app: AppName): Promise<void> {
    this.forget(app)
    await this.#world.api('PATCH', `/apps/${app}`, { approval: 'by-deploy-file' })
  }

  forget(app: AppName): void {
    this.#guarded.delete(app)
  }

  /** Reads the plan that waits, if one does, and approves exactly that. */
  async approveWaiting(app: AppName): Promise<void> {
    const listed = await this.#world.api('GET', `/deployments?app=${app}&state=waiting`)
    const [waiting] = (listed?.body.items ?? []) as readonly { id: string }[]
    const read = waiting && (await this.#world.api('GET', `/deployments/${waiting.id}`))
    const hash = read?.body.plan_hash
    if (waiting && typeof hash === 'string') {
      this.#given.add(`${waiting.id} ${hash}`)
      await this.#world.api('POST', `/deployments/${waiting.id}/approve`, { hash })
    }
  }

  async approveAll(): Promise<void> {
    for (const app of APPS) {
      await this.approveWaiting(app)
    }
  }

  /** Nothing was done to a guarded app that nobody approved, and nothing else than what was approved. */
  check(rows: readonly DeploymentRow[]): void {
    for (const { id, app, kind, outcome, wanted_release, created_at, approved } of rows) {
      if (approved) {
        assert.ok(this.#given.has(`${id} ${approved.plan_hash}`), `${id} has an approval that nobody gave`)
      }
      const since = this.#guarded.get(app) ?? Number.POSITIVE_INFINITY
      const isBound = kind === 'deploy' && wanted_release === null && Date.parse(created_at) > since
      assert.ok(!isBound || outcome !== 'deployed' || approved, `${app}: ${id} was deployed without approval`)
    }
  }
}
