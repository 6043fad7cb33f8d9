import assert from 'node:assert/strict'
import { Approvals } from './test-approvals.ts'
import {
  allEnded,
  allRows,
  checkNotPushedAside,
  type DeploymentRow,
  ENDED,
  hasSeen,
  rowsOf,
} from './test-rows.ts'
import { type Answer, APPS, type AppName, type Event, type SimulatedWorld } from './test-world.ts'

const MINUTE = 60_000
/** A deployment has come to rest and the branch was looked at. */
const AT_ONCE_MS = 2 * MINUTE
/** Polling finds a lost push within a minute; after failures it looks less often. */
const MOST_MINUTES_TO_REST = 180

interface Sent {
  readonly event: Event
  /** The deployments of the last answer; undefined while no answer has arrived. */
  deployments: readonly string[] | undefined
}

/** What a person and a Git host know of what they did, and from it what has to be true. */
export class Model {
  readonly approvals: Approvals
  readonly outbox: Event[] = []
  readonly sent: Sent[] = []
  /** When a person last asked for something else of an app, and where the tip was then. */
  readonly #wished = new Map<AppName, { tip: string; readonly at: number }>()
  readonly #asked = new Set<AppName>()
  /** The deployment that a person wanted by name (a commit, a release), while nothing else was wanted since. */
  readonly #named = new Map<AppName, string>()
  /** The same, whatever a Git host has told since. */
  readonly #kept = new Map<AppName, string>()
  #movedAt = 0
  readonly #world: SimulatedWorld

  constructor(world: SimulatedWorld) {
    this.#world = world
    this.approvals = new Approvals(world)
  }

  pushed(): void {
    const { clock, git } = this.#world
    this.#movedAt = clock.now()
    for (const wish of this.#wished.values()) {
      // Both at once: either is right.
      wish.tip = clock.now() - wish.at < AT_ONCE_MS ? git.tip : wish.tip
    }
    this.outbox.push(this.#world.pushEvent())
  }

  /** A person wants something else of this app than the tip, until the tip moves. */
  wished(app: AppName): void {
    this.#named.delete(app)
    this.#kept.delete(app)
    this.#wished.set(app, { tip: this.#world.git.tip, at: this.#world.clock.now() })
  }

  asked(app: AppName, by: 'person' | 'host' = 'person'): void {
    this.#asked.add(app)
    this.#named.delete(app)
    if (by === 'person') {
      this.#kept.delete(app)
    }
  }

  /** A person wanted this commit or release and got this answer. */
  named(app: AppName, answer: Answer | undefined): void {
    if (answer?.status === 202) {
      this.#named.set(app, String(answer.body.id))
      this.#kept.set(app, String(answer.body.id))
    }
  }

  created(app: AppName): void {
    this.#asked.delete(app)
    this.wished(app)
  }

  /** Sends a delivery for the first time. */
  async send(event: Event): Promise<void> {
    const answer = await this.#world.deliver(event)
    this.sent.push({ event, deployments: this.#taken(answer, [202]) })
    if (answer?.status === 202) {
      for (const app of APPS) {
        this.asked(app, 'host')
      }
    }
  }

  /** Sends one again: a replay, or a redelivery by a person. What is right depends on what became of the first. */
  async sendAgain(sent: Sent): Promise<void> {
    const before = sent.deployments
    const rows = before ? await rowsOf(this.#world, before) : []
    const failed = rows.filter(row => row.state === 'failed')
    const answer = await this.#world.deliver(sent.event)
    if (!answer) {
      return
    }
    if (before === undefined) {
      sent.deployments = this.#taken(answer, [200, 202])
      return
    }
    const now = this.#taken(answer, failed.length > 0 ? [200, 202] : [200])
    if (failed.length === 0) {
      assert.deepEqual(now, before, 'a duplicate is answered with the first deployments')
    } else {
      const tried = now?.some(id => !before.includes(id)) || (await this.#areLeaving(failed))
      assert.ok(tried, 'after a failure a redelivery is a new attempt')
    }
    sent.deployments = now
  }

  /** Whether the apps of these deployments are gone, or about to be: they are not tried again. */
  async #areLeaving(failed: readonly DeploymentRow[]): Promise<boolean> {
    const rows = await allRows(this.#world)
    const answers = await Promise.all(failed.map(({ app }) => this.#world.api('GET', `/apps/${app}`)))
    return failed.every(
      ({ app }, index) =>
        answers[index]?.status === 404 ||
        rows.some(row => row.app === app && row.kind === 'remove' && !ENDED.includes(row.state)),
    )
  }

  /** The id of another delivery with another body. Without an answer to that, who comes first with the id has it. */
  async forge({ event, deployments }: Sent): Promise<void> {
    const body = event.body.replace('"id":1', '"id":1,"x":1')
    const answer = deployments && (await this.#world.deliver({ ...event, body }))
    if (answer) {
      assert.equal(answer.status, 400)
      assert.equal(this.#world.noted.at(-1), 'DELIVERY_CONFLICT', 'the conflict is noted')
    }
  }

  /** At any moment: nothing runs twice. */
  async checkAlways(): Promise<void> {
    for (const [order, count] of this.#world.host.effects) {
      assert.equal(count, 1, `carried out ${count} times: ${order}`)
    }
  }

  /** Lets everything come to rest and compares it with what has to be. */
  async checkAtRest(): Promise<void> {
    const world = this.#world
    world.host.setOnline(true)
    world.host.repair()
    await world.kill(Number.POSITIVE_INFINITY)
    await this.#rest()
    const rows = await allRows(this.#world)
    allEnded(rows)
    for (const { event, deployments = [] } of this.sent) {
      for (const id of deployments) {
        const row = rows.find(each => each.id === id)
        assert.ok(!row || ENDED.includes(row.state), `the delivery ${event.id} has an outcome`)
      }
    }
    for (const app of APPS) {
      const ofApp = rows.filter(row => row.app === app)
      await this.#checkApp(app, ofApp)
    }
    this.#checkClaims(rows)
    this.approvals.check(rows)
    await this.checkAlways()
  }

  async #checkApp(app: AppName, rows: readonly DeploymentRow[]): Promise<void> {
    const { engine, git } = this.#world
    const exists = (await this.#world.api('GET', `/apps/${app}`))?.status === 200
    const served = engine.serves(app)
    if (!exists) {
      assert.equal(served, undefined, `${app} was removed`)
      assert.deepEqual(engine.of(app), [], `nothing is left of ${app}`)
      return
    }
    // Newest first.
    const removal = rows.findIndex(row => row.kind === 'remove')
    const success = rows.findIndex(row => row.state === 'succeeded')
    const isHalfRemoved = removal !== -1 && (success === -1 || removal < success)
    if (!isHalfRemoved) {
      assert.equal(
        served,
        rows[success]?.commit ?? undefined,
        `${app} serves what was said to have succeeded`,
      )
      assert.equal(engine.of(app).length, served === undefined ? 0 : 1, `${app} has one container`)
    }
    this.#checkNamed(app, rows, served)
    const wantsTip = this.#asked.has(app) && git.tip !== this.#wished.get(app)?.tip
    if (wantsTip && !git.isBad(git.tip)) {
      assert.equal(served, git.tip, `${app} serves the tip of the branch`)
    }
    if (wantsTip && git.isBad(git.tip)) {
      const failed = rows.find(row => row.commit === git.tip)
      assert.equal(`${failed?.state} ${failed?.error?.code}`, 'failed IMAGE_BUILD_FAILED', `${app} says why`)
    }
  }

  #checkNamed(app: AppName, rows: readonly DeploymentRow[], served: string | undefined): void {
    checkNotPushedAside(app, rows, this.#kept.get(app))
    const wished = rows.findIndex(row => row.id === this.#named.get(app))
    const before = wished === -1 ? [] : rows.slice(wished + 1)
    if (hasSeen(before, this.#world.git.tip, this.#movedAt) && rows[wished]?.state === 'succeeded') {
      assert.equal(served, rows[wished]?.commit, `${app} serves what a person wanted by name`)
    }
  }

  #checkClaims(rows: readonly DeploymentRow[]): void {
    for (const { deployment, served } of this.#world.claims) {
      const row = rows.find(each => each.id === deployment)
      if (row && row.kind !== 'remove') {
        assert.equal(served, row.commit, `${row.app} served what was claimed when it was claimed`)
      }
    }
  }

  async #rest(): Promise<void> {
    await this.#world.pass(3 * MINUTE)
    for (let minutes = 0; minutes < MOST_MINUTES_TO_REST; minutes += 5) {
      await this.#world.pass(5 * MINUTE)
      await this.approvals.approveAll()
      const rows = await allRows(this.#world)
      if (minutes >= 10 && rows.every(row => ENDED.includes(row.state))) {
        return
      }
    }
  }

  /** What the sender learns; a delivery that was taken asks for the tip. */
  #taken(answer: Answer | undefined, right: readonly number[]): readonly string[] | undefined {
    if (!answer) {
      return undefined
    }
    if (answer.body.ignored !== undefined) {
      assert.deepEqual([answer.body.ignored, answer.status], ['no-apps', 200])
      return []
    }
    assert.ok(
      right.includes(answer.status),
      `${answer.status} instead of ${right}: ${JSON.stringify(answer.body)}`,
    )
    return answer.body.deployments as string[]
  }
}
