import { writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openWorld } from '#cli/demo/world.ts'
import { tableLines } from '#cli/print.ts'
import { openSession, type Session } from '#cli/session.ts'
import { type PartProcess, partProcess } from '#world/part-process.ts'
import { openContender } from './bench-world.ts'
import { slopeOf, sparkline } from './slope.ts'
import { Ledger } from './soak-ledger.ts'
import { leftBehind } from './soak-left.ts'
import { startLoad } from './soak-load.ts'
import { type Sample, sampleOf } from './soak-sample.ts'

const RESULTS = join(import.meta.dirname, 'soak.json')
const SAMPLE_MS = 5_000
const SAY_MS = 60_000
/** Nothing is killed any more after this share of the time: memory is measured over one life of each process. */
const KILLS_UNTIL = 1 / 3
/** The first deployments of a process fill what it keeps by design. */
const WARM_SHARE = 0.1
/**
 * Memory is measured when the load rests: a heap under load holds what nobody needs any more for as long as there is
 * room, and grows for an hour without a leak. At rest it is returned (docs/decisions/0080).
 */
const REST_EACH_MS = 120_000
const REST_MS = 15_000
/** About so many in a short run; with fewer than half of them nothing is known. */
const RESTS = 8
/** What the line through the memory of a process at rest may rise by from its beginning to its end. */
const MOST_RISE_MIB = 4
/** Deployments that are under way at one end of the time and not at the other have some open. */
const MOST_MORE_FILES = 12
const MS_PER_MINUTE = 60_000

const HELP = `npm run soak -- [--minutes N]

  --minutes  how long the load goes on (default 10)

Pushes to an app of each of two kinds with webhooks, each build another one; webhooks that start nothing; deployments
that are cancelled at any moment; readers of logs and events, of which some leave; manager and worker are killed and
started again in the first third and once at the end. Exit code 1 when a deployment that was accepted has not ended,
something is left over, or memory or open files grow.
`

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, help: { type: 'boolean', default: false } },
})
const minutes = Number(values.minutes)
if (values.help || !(minutes > 0)) {
  process.stdout.write(HELP)
} else {
  const problems = await soak(minutes * MS_PER_MINUTE)
  problems.forEach(problem => void say(`WRONG: ${problem}`))
  if (problems.length === 0) {
    say('Nothing was lost, nothing was left, nothing grew.')
  }
  process.exitCode = problems.length === 0 ? 0 : 1
}

async function soak(forMs: number): Promise<readonly string[]> {
  const session = openSession({})
  const { clock } = session
  await using world = await openWorld(session, {
    apps: [],
    tell: (part, what) => say(`${part}: ${what}`),
    // It pushes more often than any loop.
    environment: { FAIRLEAD_MOST_UNATTENDED: '0' },
  })
  await using stack = new AsyncDisposableStack()
  const parts = {
    manager: await partProcess(world.together.manager),
    worker: await partProcess(world.together.worker),
  }
  stack.defer(async () => void (await Promise.all([parts.manager.close(), parts.worker.close()])))
  const here: Session = { ...session, client: world.together.client }
  const ledger = new Ledger(here)
  const contenders = [
    await openContender(world, here.client, 'container'),
    await openContender(world, here.client, 'compose'),
  ]
  const began = clock.monotonic()
  const load = startLoad(here, { contenders, ledger })
  const samples: Sample[] = []
  const restEachMs = Math.min(REST_EACH_MS, (forMs * (1 - KILLS_UNTIL)) / RESTS - REST_MS)
  let saidAt = began
  let restedAt = began
  let kills = 0
  for (let passed = 0; passed < forMs; passed = clock.monotonic() - began) {
    await clock.sleep(SAMPLE_MS, session.signal)
    if (passed < forMs * KILLS_UNTIL) {
      if (passed > (forMs * KILLS_UNTIL * (kills + 1)) / 5) {
        await killOne(kills % 2 === 0 ? parts.manager : parts.worker)
        kills += 1
      }
    } else if (
      passed > forMs * (KILLS_UNTIL + (1 - KILLS_UNTIL) * WARM_SHARE) &&
      clock.monotonic() - restedAt > restEachMs
    ) {
      await load.rest(async () => {
        await clock.sleep(REST_MS, session.signal)
        samples.push(await sampleOf(parts, clock.monotonic() - began))
      })
      restedAt = clock.monotonic()
    }
    load.check()
    if (clock.monotonic() - saidAt >= SAY_MS) {
      saidAt = clock.monotonic()
      sayMinute((saidAt - began) / MS_PER_MINUTE, { ledger, now: await sampleOf(parts, saidAt - began) })
    }
  }
  await Promise.all([killOne(parts.manager), killOne(parts.worker)])
  kills += 2
  const pages = await load.stop()
  const problems = [...(await ledger.settle()), ...(await leftBehind(here, world, pages))]
  const growth = growthOf(samples)
  await report({ samples, growth, ledger, kills, forMs, problems })
  return [...problems, ...growth.flatMap(({ problem }) => problem ?? [])]
}

async function killOne(part: PartProcess): Promise<void> {
  await part.kill()
  await part.start()
}

interface Growth {
  readonly part: string
  readonly memory: readonly number[]
  readonly memoryPerHour: number
  readonly rise: number
  readonly files: readonly [number, number]
  readonly problem: string | undefined
}

function growthOf(samples: readonly Sample[]): readonly Growth[] {
  return (['manager', 'worker'] as const).map(part => {
    const times = samples.map(({ atMs }) => atMs)
    const memory = samples.map(sample => sample[part].memory)
    const perMs = slopeOf(times, memory)
    const rise = perMs * ((times.at(-1) ?? 0) - (times[0] ?? 0))
    const quarter = Math.ceil(samples.length / 4)
    const open = samples.map(sample => sample[part].files)
    // The least of a quarter is that of a moment with little under way.
    const files = [Math.min(...open.slice(0, quarter)), Math.min(...open.slice(-quarter))] as const
    const grown = [
      ...(samples.length < RESTS / 2 ? [`it was looked at ${samples.length} times only`] : []),
      ...(rise > MOST_RISE_MIB ? [`its memory rose by ${rise.toFixed(1)} MiB`] : []),
      ...(files[1] - files[0] > MOST_MORE_FILES
        ? [`it has ${files[1]} files open instead of ${files[0]}`]
        : []),
    ]
    const problem = grown.length === 0 ? undefined : `${part}: ${grown.join(', ')}`
    return { part, memory, memoryPerHour: perMs * 60 * MS_PER_MINUTE, rise, files, problem }
  })
}

function sayMinute(minute: number, { ledger, now }: { ledger: Ledger; now: Sample }): void {
  const parts = (['manager', 'worker'] as const).map(
    part => `${part} ${now[part].memory.toFixed(0)} MiB, ${now[part].files} files`,
  )
  say(
    `${minute.toFixed(0)} min: ${ledger.told()}; ${parts.join('; ')}; load ${(loadavg()[0] ?? 0).toFixed(1)}`,
  )
}

interface Outcome {
  readonly samples: readonly Sample[]
  readonly growth: readonly Growth[]
  readonly ledger: Ledger
  readonly kills: number
  readonly forMs: number
  readonly problems: readonly string[]
}

async function report({ samples, growth, ledger, kills, forMs, problems }: Outcome): Promise<void> {
  const rows = growth.map(({ part, memory, memoryPerHour, rise, files }) => [
    part,
    `${memoryPerHour.toFixed(1)} MiB/h`,
    `${rise.toFixed(1)} MiB`,
    files.join(' to '),
    `${Math.min(...memory).toFixed(0)} ${sparkline(memory)} ${Math.max(...memory).toFixed(0)} MiB`,
  ])
  process.stdout.write('\n')
  for (const line of tableLines(['', 'slope', 'rise', 'open files', 'memory at rest'], rows)) {
    process.stdout.write(`${line}\n`)
  }
  process.stdout.write(`\n${ledger.told()}; ${kills} kills\n`)
  const text = { at: new Date().toISOString(), minutes: forMs / MS_PER_MINUTE, kills, load: loadavg()[0] }
  const result = { ...text, deployments: ledger.counts(), growth, problems, samples }
  await writeFile(RESULTS, `${JSON.stringify(result, undefined, 1)}\n`)
  say(`written to ${RESULTS}`)
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
