import type { Session } from '#cli/session.ts'
import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'
import { patiently } from './patiently.ts'

/** What a killed manager or worker may need for everything that waits, on a machine with much else to do. */
const SETTLE_MS = 600_000

/** Each deployment that the manager said it has taken, and how it ended. */
export class Ledger {
  readonly #session: Session
  readonly #accepted = new Set<string>()
  readonly #ended = new Map<string, string>()
  /** Other work that is only counted. */
  readonly #done = new Map<string, number>()

  constructor(session: Session) {
    this.#session = session
  }

  accept(ids: readonly string[]): void {
    ids.forEach(id => void this.#accepted.add(id))
  }

  count(what: string): void {
    this.#done.set(what, (this.#done.get(what) ?? 0) + 1)
  }

  /** Waits for it. */
  async ended(id: string): Promise<DeploymentDetail> {
    const { client, clock } = this.#session
    const began = clock.monotonic()
    for (;;) {
      const found = await patiently(this.#session, () => client.get<DeploymentDetail>(`/deployments/${id}`))
      if (found.finished_at !== null) {
        this.#ended.set(id, found.state)
        return found
      }
      if (clock.monotonic() - began > SETTLE_MS) {
        throw new Error(`deployment ${id} of ${found.app} has not ended: it is ${found.state}`)
      }
      await clock.sleep(200)
    }
  }

  /** Waits for all; what was lost. */
  async settle(): Promise<readonly string[]> {
    const problems: string[] = []
    for (const id of this.#accepted) {
      if (!this.#ended.has(id)) {
        await this.ended(id).catch(error => void problems.push(String((error as Error).message)))
      }
    }
    const wrong = await Promise.all(
      [...this.#ended].filter(([, state]) => state === 'failed').map(([id]) => this.ended(id)),
    )
    problems.push(
      ...wrong.map(({ id, error }) => `deployment ${id} failed: ${error?.code} ${error?.message}`),
    )
    const { client } = this.#session
    for (const state of ['queued', 'running', 'waiting']) {
      const { items } = await client.get<{ items: DeploymentDocument[] }>(`/deployments?state=${state}`)
      problems.push(...items.map(({ id }) => `deployment ${id} is ${state} although nothing is left to do`))
    }
    return problems
  }

  counts(): Readonly<Record<string, number>> {
    const states: Record<string, number> = {}
    for (const state of this.#ended.values()) {
      states[state] = (states[state] ?? 0) + 1
    }
    const { size: accepted } = this.#accepted
    return { accepted, ended: this.#ended.size, ...states, ...Object.fromEntries(this.#done) }
  }

  told(): string {
    return Object.entries(this.counts())
      .map(([what, count]) => `${count} ${what}`)
      .join(', ')
  }
}
