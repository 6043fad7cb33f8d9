import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Clock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { TestClock } from '#lib/test-clock.ts'
import { openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { HTTP_ADDRESS_PRIVATE, HTTP_UNREACHABLE } from '#manager/errors.ts'
import { storeTurn } from '#manager/store/test-database.ts'
import { NOBODY } from './interest.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import type { Attempt, Place } from './places.ts'
import { type PuttingContext, putIn, replaceEarlier } from './put.ts'
import type { OutboxRow } from './rows.ts'

const HOUR_MS = 3_600_000
const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

test('what is in line is sent once, per place one after the other and in order', async () => {
  const world = await openWorld()
  world.holds = true
  await world.put('report:a', 'x', 1)
  await world.put('report:a', 'y', 2)
  await world.put('report:b', 'x', 3)
  await settle()
  assert.deepEqual(world.sent, ['a 1', 'b 3'])
  world.release()
  await settle()
  assert.deepEqual(world.sent, ['a 1', 'b 3', 'a 2'])
  assert.deepEqual(await world.results(), ['1 sent', '2 sent', '3 sent'])
})

test('with nothing in line no timer runs and nothing is asked', async () => {
  const world = await openWorld()
  await world.put('report:a', 'x', 1)
  await settle()
  const asked = world.asked
  await world.pass(48 * HOUR_MS)
  assert.deepEqual([world.asked - asked, world.timers.size], [0, 0])
})

test('an attempt that time heals is made again, later each time, before anything newer of its subject', async () => {
  const world = await openWorld()
  world.answers = () => ({ kind: 'later', reason: 'it answers 503' })
  await world.put('report:a', 'x', 1)
  await settle()
  await world.put('report:a', 'x', 2)
  await world.put('report:a', 'y', 3)
  await world.pass(30 * 60_000)
  const tries = (what: string) =>
    world.tried.filter(each => each.what === what).map(each => each.after / 1000)
  assert.deepEqual(tries('a 1'), [0, 5, 15, 35, 75, 155, 315, 635, 1275])
  assert.deepEqual([tries('a 2').length, tries('a 3').length], [0, 9])
  assert.ok(world.problems.length > 0, 'it is shown although it is tried again')
  world.answers = () => ({ kind: 'sent' })
  await world.pass(HOUR_MS)
  assert.deepEqual(await world.results(), ['1 sent', '2 sent', '3 sent'])
})

test('after a day in vain it is given up, written down, and the next one has its turn', async () => {
  const world = await openWorld()
  world.answers = row => (row === 1 ? { kind: 'later', reason: 'it answers 500' } : { kind: 'sent' })
  await world.put('channel:a', '', 1)
  await world.put('channel:a', '', 2)
  await world.pass(23 * HOUR_MS)
  assert.deepEqual(await world.results(), ['1 null', '2 null'])
  await world.pass(3 * HOUR_MS)
  assert.deepEqual(await world.results(), ['1 given-up', '2 sent'])
})

test('what the other side asks to be spared for is kept', async () => {
  const world = await openWorld()
  world.answers = () => ({ kind: 'later', reason: 'it answers 429', afterMs: 120_000 })
  await world.put('report:a', 'x', 1)
  await world.pass(119_000)
  assert.equal(world.tried.length, 1)
  await world.pass(2000)
  assert.equal(world.tried.length, 2)
})

test('a refusal ends it at once; errors say themselves whether time heals them', async () => {
  const world = await openWorld()
  world.answers = row => {
    switch (row) {
      case 1:
        return { kind: 'refused', reason: 'it answers 401' }
      case 2:
        throw HTTP_ADDRESS_PRIVATE('git.example.org', '10.0.0.1')
      case 3:
        throw HTTP_UNREACHABLE('git.example.org', 'it refuses connections')
      default:
        return { kind: 'unwanted' }
    }
  }
  for (const each of [1, 2, 3, 4]) {
    await world.put(`report:${each}`, 'x', each)
  }
  await settle()
  assert.deepEqual(await world.results(), ['1 refused', '2 refused', '3 null', '4 unwanted'])
  assert.deepEqual(world.problems, [
    'it answers 401',
    HTTP_ADDRESS_PRIVATE('git.example.org', '10.0.0.1').message,
  ])
})

test('a newer state takes the place of one that is not sent yet, also of one on its way', async () => {
  const world = await openWorld()
  world.holds = true
  await world.put('report:a', 'x', 1)
  await settle()
  await world.put('report:a', 'x', 2, 'replace')
  await world.put('report:a', 'x', 3, 'replace')
  await settle()
  // In order: the first is still on its way.
  assert.deepEqual(world.sent, ['a 1'])
  world.release()
  await settle()
  assert.deepEqual(world.sent, ['a 1', 'a 3'])
  assert.deepEqual(await world.results(), ['1 replaced', '2 replaced', '3 sent'])
})

test('what was on its way when the process ended is sent by the next one, which knows that it may have arrived', async () => {
  const world = await openWorld()
  world.holds = true
  await world.put('report:a', 'x', 1)
  await settle()
  world.restart()
  await settle()
  assert.deepEqual(
    world.tried.map(each => [each.what, each.attempts]),
    [
      ['a 1', 0],
      ['a 1', 1],
    ],
  )
})

test('a transaction that is undone tells nobody', async () => {
  const world = await openWorld()
  const work = world.store.db.transaction().execute(async db => {
    await putIn({ ...world.context(), db }, [{ place: 'report:a', subject: 'x', payload: { row: 1 } }])
    throw new Error('undone')
  })
  await assert.rejects(work, /undone/)
  world.outbox.wake()
  await settle()
  assert.deepEqual(world.sent, [])
})

interface Tried {
  readonly what: string
  readonly after: number
  readonly attempts: number
}

async function openWorld(): Promise<World> {
  const store = await openTestStore()
  stack.defer(() => store.close())
  return new World(store)
}

/** A real store, a clock that is moved by hand, and places that answer what a test says. */
class World {
  holds = false
  answers = (_row: number): Attempt => ({ kind: 'sent' })
  readonly sent: string[] = []
  readonly tried: Tried[] = []
  readonly problems: string[] = []
  /** Statements of the outbox. */
  asked = 0
  readonly timers = new Set<object>()
  readonly store: TestStore
  outbox: Outbox
  readonly #clock = new TestClock(1_000_000)
  readonly #begun = this.#clock.now()
  #held = Promise.withResolvers<void>()
  #process = this.#clock.ofProcess()

  constructor(store: TestStore) {
    this.store = store
    this.outbox = this.#open()
  }

  context(): PuttingContext {
    const outbox = { interest: () => NOBODY, wake: this.outbox.wake }
    return { db: this.store.db, clock: this.#clock, outbox }
  }

  async put(place: string, subject: string, row: number, how?: 'replace'): Promise<void> {
    await this.store.db.transaction().execute(async db => {
      const context = { ...this.context(), db }
      if (how) {
        await replaceEarlier(context, { place, subject })
      }
      await putIn(context, [{ place, subject, payload: { row } }])
    })
    this.outbox.wake()
  }

  release(): void {
    this.holds = false
    this.#held.resolve()
    this.#held = Promise.withResolvers()
  }

  restart(): void {
    this.#process.die()
    this.#process = this.#clock.ofProcess()
    this.holds = false
    this.outbox = this.#open()
    this.outbox.wake()
  }

  async pass(ms: number): Promise<void> {
    await settle()
    await this.#clock.pass(ms, settle)
  }

  async results(): Promise<string[]> {
    const rows = await this.store.db
      .selectFrom('outbox')
      .select(['payload', 'result'])
      .orderBy('seq')
      .execute()
    return rows.map(row => `${rowIn(row.payload)} ${row.result}`)
  }

  #open(): Outbox {
    const place = (id: string): Place => ({
      deliver: row => this.#deliver(id, row),
      noteSent: async () => undefined,
      noteProblem: async (_, { reason = '' }) => {
        this.problems.push(reason)
        return undefined
      },
    })
    const db = this.store.db.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        this.asked += 1
        return result
      },
    })
    const places = { report: place, channel: place, links: place, packages: place }
    return createOutbox({ db, clock: this.#counted(), logger: silentLogger, places })
  }

  async #deliver(id: string, { payload, attempts }: OutboxRow): Promise<Attempt> {
    const row = rowIn(payload)
    const what = `${id} ${row}`
    this.tried.push({ what, after: this.#clock.now() - this.#begun, attempts })
    this.sent.push(what)
    if (this.holds) {
      await this.#held.promise
    }
    return this.answers(row)
  }

  #counted(): Clock {
    const { clock } = this.#process
    return {
      ...clock,
      after: (ms, run) => {
        const one = {}
        this.timers.add(one)
        const timer = clock.after(ms, () => {
          this.timers.delete(one)
          run()
        })
        return {
          close: () => {
            this.timers.delete(one)
            timer.close()
          },
        }
      },
    }
  }
}

function rowIn(payload: string): number {
  return (JSON.parse(payload) as { row: number }).row
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn += 1) {
    await storeTurn()
  }
}
