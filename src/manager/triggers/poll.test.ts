import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { serverOf } from '#git-hosts/repository-path.ts'
import type { Clock } from '#lib/clock.ts'
import { type FairleadError, INTERNAL } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { silentLogger } from '#lib/logger.ts'
import { AGENT_OFFLINE, BAD_ANSWER } from '#manager/agents/errors.ts'
import { createEvents } from '#manager/deployments/events.ts'
import { NO_OUTBOX } from '#manager/outbox/test-outbox.ts'
import type { Store } from '#manager/store/database.ts'
import { leaveTestDatabase, openTestDatabase, storeTurn } from '#manager/store/test-database.ts'
import { createPoller, type Poller } from './poll.ts'

const ONE = 'a'.repeat(40)
const TWO = 'b'.repeat(40)

let folder = ''
let store: Store
let world: World
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-poll-'))
  store = await openTestDatabase(folder, () => 1)
  world = new World()
})
afterEach(async () => {
  await world.poller.close()
  await store.close()
  leaveTestDatabase(folder)
  rmSync(folder, { recursive: true })
})

test('R80 a tip that differs from the last one requests a deployment of each app, once', async () => {
  const repository = await aRepository({ last_tip: ONE })
  const apps = [await anApp(repository), await anApp(repository)]
  world.tips.set(repository, TWO)
  await world.start()
  await world.pass(60_000)
  const requested = await deployments()
  assert.deepEqual(requested.map(row => row.app_id).sort(), apps.sort())
  assert.match(requested[0]?.trigger ?? '', /"kind":"poll"/)
  await world.pass(600_000)
  assert.equal((await deployments()).length, 2)
  assert.equal((await read(repository)).last_tip, TWO)
})

test('a repository that is seen for the first time deploys nothing', async () => {
  const repository = await aRepository({})
  await anApp(repository)
  await world.start()
  await world.pass(60_000)
  assert.deepEqual(await deployments(), [])
  assert.equal((await read(repository)).last_tip, ONE)
})

test('a repository that creates its apps itself is searched for them', async () => {
  const repository = await aRepository({ auto_apps: 1 })
  await world.start()
  await world.pass(60_000)
  assert.deepEqual(world.discovered, [repository])
})

test('P8 when it was last looked at is shown to seconds, and exactly after a restart', async () => {
  const id = await aRepository({ last_tip: ONE })
  await world.start()
  await world.pass(600_000)
  const { at } = world.looks.at(-1) ?? { at: 0 }
  const shown = (await read(id)).last_polled_at ?? 0
  assert.ok(at - shown <= 60_000 + 10_000, `${at - shown} ms behind`)
  await world.poller.close()
  assert.equal((await read(id)).last_polled_at, at)
})

test('what a webhook has deployed already is not deployed again', async () => {
  const repository = await aRepository({ last_tip: ONE })
  const app = await anApp(repository)
  const row = { app_id: app, kind: 'deploy', trigger: '{}', cancel_requested: 0, created_at: 1 } as const
  await store.db
    .insertInto('deployments')
    .values({ ...row, id: newId(), state: 'succeeded', commit: TWO })
    .execute()
  world.tips.set(repository, TWO)
  await world.start()
  await world.pass(60_000)
  assert.equal((await deployments()).length, 1)
})

test('P8 at most 16 repositories are looked at at once', async () => {
  for (let count = 0; count < 40; count += 1) {
    await aRepository({ poll_seconds: 5, url: `https://git${count % 8}.example.org/x.git` })
  }
  world.hold()
  await world.start()
  await world.pass(30_000)
  assert.equal(world.most, 16)
  world.release()
  await world.pass(30_000)
  assert.ok(world.looks.length >= 40)
  assert.equal(world.most, 16)
})

test('P8 a second has as many looks as the servers answer, not one round of them', async () => {
  for (let count = 0; count < 60; count += 1) {
    await aRepository({ poll_seconds: 5 })
  }
  await world.start()
  await world.pass(4000)
  assert.ok(world.looks.length >= 60, `${world.looks.length} looks`)
})

test('R80 P8 a Git server that does not answer has eight looks at once and keeps no other server waiting', async () => {
  const slow: string[] = []
  for (let count = 0; count < 40; count += 1) {
    slow.push(await aRepository({ poll_seconds: 5, url: 'git@slow.example.org:o/x.git' }))
  }
  const other = await aRepository({ poll_seconds: 5 })
  world.hold('slow.example.org')
  await world.start()
  await world.pass(20_000)
  assert.equal(world.looks.filter(look => slow.includes(look.repository)).length, 8)
  assert.ok(world.looks.filter(look => look.repository === other).length >= 3)
  world.release()
})

test('R80 a Git server in trouble is asked by one look at a time, until one works', async () => {
  const broken: string[] = []
  for (let count = 0; count < 8; count += 1) {
    broken.push(await aRepository({ poll_seconds: 60 }))
    world.failures.set(broken.at(-1) ?? '', INTERNAL('it does not answer in time'))
  }
  await world.start()
  await world.pass(60_000)
  world.most = 0
  world.hold()
  await world.pass(600_000)
  assert.equal(world.most, 1)
  world.failures.clear()
  world.release()
  await world.pass(7_200_000)
  world.most = 0
  world.hold()
  await world.pass(120_000)
  assert.equal(world.most, 8)
  world.release()
})

test('R80 a Git server that asks for time gets it, for all repositories and without counting as their failure', async () => {
  const one = await aRepository({ poll_seconds: 60 })
  await aRepository({ poll_seconds: 60 })
  const elsewhere = await aRepository({ poll_seconds: 60, url: 'https://other.example.org/x.git' })
  await world.start()
  await world.pass(60_000)
  world.failures.set(one, INTERNAL('too many requests').after(900))
  await world.pass(70_000)
  const until = (world.looks.filter(look => look.repository === one).at(-1)?.at ?? 0) + 900_000
  assert.match((await read(one)).problem ?? '', /too many requests/)
  assert.equal((await read(one)).poll_failures, 0)
  world.failures.clear()
  await world.pass(1_200_000)
  const inBetween = world.looks.filter(({ at }) => at > until - 900_000 && at < until)
  assert.deepEqual([...new Set(inBetween.map(look => look.repository))], [elsewhere])
  assert.ok(world.looks.some(look => look.repository === one && look.at >= until))
  assert.equal((await read(one)).problem, null)
})

test('looks at a repository that cannot be reached become rare, up to once an hour', async () => {
  const repository = await aRepository({ poll_seconds: 60 })
  world.failures.set(repository, INTERNAL('the server is down'))
  await world.start()
  await world.pass(10 * 3_600_000)
  const times = world.looks.map(look => look.at)
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0))
  assert.ok(gaps.length >= 12 && gaps.length <= 18, `${gaps.length} looks`)
  assert.ok(gaps.every(gap => gap <= 1.1 * 3_600_000 + 1000))
  assert.ok(gaps.slice(1, 6).every((gap, index) => gap > (gaps[index] ?? 0)))
  assert.match((await read(repository)).problem ?? '', /the server is down/)
})

test('a problem that only a person can solve pauses it after three looks, until it is asked for', async () => {
  const repository = await aRepository({ poll_seconds: 60 })
  world.failures.set(repository, BAD_ANSWER('The credential', 'refused'))
  await world.start()
  await world.pass(24 * 3_600_000)
  assert.equal(world.looks.length, 3)
  world.failures.clear()
  world.poller.look(repository)
  await world.pass(5000)
  assert.equal(world.looks.length, 4)
  assert.equal((await read(repository)).problem, null)
  await world.pass(60_000 * 1.2)
  assert.equal(world.looks.length, 5)
})

test('a worker that is away is asked again soon, without backoff', async () => {
  const repository = await aRepository({ poll_seconds: 300 })
  world.failures.set(repository, AGENT_OFFLINE('local', ''))
  await world.start()
  await world.pass(3_600_000)
  assert.ok(world.looks.length > 100, `${world.looks.length} looks`)
  assert.equal((await read(repository)).poll_failures, 0)
})

test('a repository that is not polled is looked at until that worked once, so that its apps are found', async () => {
  const repository = await aRepository({ poll_seconds: 0, auto_apps: 1 })
  world.failures.set(repository, AGENT_OFFLINE('local', ''))
  await world.start()
  world.poller.look(repository)
  await world.pass(60_000)
  assert.deepEqual(world.discovered, [])
  world.failures.clear()
  await world.pass(60_000)
  assert.deepEqual(world.discovered, [repository])
  const looks = world.looks.length
  await world.pass(600_000)
  assert.equal(world.looks.length, looks)
})

test('asked for many times in a row, a repository is looked at once every five seconds', async () => {
  const repository = await aRepository({ poll_seconds: 0 })
  await world.start()
  for (let second = 0; second < 60; second += 1) {
    world.poller.look(repository)
    await world.pass(1000)
  }
  assert.ok(world.looks.length >= 10 && world.looks.length <= 13, `${world.looks.length} looks`)
})

test('polling can be off, and ends for a repository that is gone', async () => {
  await aRepository({ poll_seconds: 0 })
  const gone = await aRepository({ poll_seconds: 5 })
  await world.start()
  await world.pass(20_000)
  const before = world.looks.length
  assert.ok(world.looks.every(look => look.repository === gone))
  await store.db.deleteFrom('repositories').where('id', '=', gone).execute()
  await world.pass(60_000)
  assert.equal(world.looks.length, before)
})

test('G09 a repository that was stopped is not looked at until it goes on', async () => {
  const repository = await aRepository({ poll_seconds: 5, stopped: '{}' })
  await world.start()
  await world.pass(60_000)
  assert.deepEqual(world.looks, [])
  await store.db.updateTable('repositories').set({ stopped: null }).execute()
  world.poller.look(repository)
  await world.pass(20_000)
  assert.ok(world.looks.length >= 3)
})

/** Repositories on servers of our own making, and a time that passes when told to. */
class World {
  readonly tips = new Map<string, string>()
  readonly failures = new Map<string, FairleadError>()
  readonly looks: { repository: string; at: number }[] = []
  readonly discovered: string[] = []
  most = 0
  readonly #ticks = new Set<() => void>()
  #now = 1_000_000
  #running = 0
  #held: { promise: Promise<void>; resolve: () => void } | undefined
  #heldServer: string | undefined
  readonly poller: Poller

  constructor() {
    const clock: Clock = {
      now: () => this.#now,
      monotonic: () => this.#now,
      sleep: async () => undefined,
      after: () => ({ close: () => undefined }),
      every: (_, run) => {
        this.#ticks.add(run)
        return { close: () => void this.#ticks.delete(run) }
      },
    }
    this.poller = createPoller({
      db: store.db,
      clock,
      events: createEvents(clock.now),
      outbox: NO_OUTBOX,
      logger: silentLogger,
      wake: () => undefined,
      random: () => 0.5,
      tip: async ({ id, url }) => await this.#look(id, serverOf(url)),
      discover: async ({ id }) => void this.discovered.push(id),
      lookFurther: async () => undefined,
    })
  }

  async start(): Promise<void> {
    await this.poller.start()
  }

  /** Lets so much time pass, second by second, with all that happens in it. */
  async pass(ms: number): Promise<void> {
    const step = ms > 3_600_000 ? 10_000 : 1000
    for (let passed = 0; passed < ms; passed += step) {
      this.#now += step
      for (const tick of this.#ticks) {
        tick()
      }
      const looks = this.looks.length
      await settled()
      if (this.looks.length > looks || this.#running > 0) {
        await settled(20)
      }
    }
  }

  /** No look ends from now on, or none at this server. */
  hold(server?: string): void {
    this.#heldServer = server
    this.#held = Promise.withResolvers<void>()
  }

  release(): void {
    this.#held?.resolve()
    this.#held = undefined
  }

  async #look(repository: string, server: string): Promise<string> {
    this.looks.push({ repository, at: this.#now })
    this.#running += 1
    this.most = Math.max(this.most, this.#running)
    if (this.#heldServer === undefined || this.#heldServer === server) {
      await this.#held?.promise
    }
    this.#running -= 1
    const failure = this.failures.get(repository)
    if (failure) {
      throw failure
    }
    return this.tips.get(repository) ?? ONE
  }
}

async function settled(turns = 4): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    await storeTurn()
  }
}

async function aRepository(columns: {
  last_tip?: string
  poll_seconds?: number
  auto_apps?: number
  url?: string
  stopped?: string
}): Promise<string> {
  const id = newId()
  const fixed = {
    url: 'https://git.example.org/x.git',
    branch: 'main',
    host: 'local',
    version: 1,
    created_at: 1,
  }
  await store.db
    .insertInto('repositories')
    .values({
      id,
      name: id,
      poll_seconds: 60,
      auto_apps: 0,
      poll_failures: 0,
      updated_at: 1,
      ...fixed,
      ...columns,
    })
    .execute()
  return id
}

async function anApp(repository: string): Promise<string> {
  const id = newId()
  const fixed = { entry: 'x', target: 'container', overrides: '{}', host: 'local', version: 1, created_at: 1 }
  await store.db
    .insertInto('apps')
    .values({ id, name: id, repository_id: repository, updated_at: 1, ...fixed })
    .execute()
  return id
}

async function deployments() {
  return await store.db.selectFrom('deployments').selectAll().execute()
}

async function read(id: string) {
  return await store.db.selectFrom('repositories').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}
