import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { openWorld, type World } from '#cli/demo/world.ts'
import { tableLines } from '#cli/print.ts'
import { openSession, type Session } from '#cli/session.ts'
import { systemClock } from '#lib/clock.ts'
import { type Contender, openContender } from './bench-world.ts'
import { measureBurst } from './burst.ts'
import type { Figure } from './figure.ts'
import { measureIdle } from './idle.ts'
import { journalFigures, journalSize } from './journal-size.ts'
import { measureLongBuild } from './long-build.ts'
import { measureManyApps } from './many-apps.ts'
import { measureNotebooks } from './notebooks.ts'
import { measureNothingToDo } from './nothing-to-do.ts'
import { measureOwnTime } from './own-time.ts'
import { measurePolling } from './polling.ts'
import { measureRecovery } from './recovery.ts'
import { measureRedeploys, redeployFigures } from './redeploy.ts'
import { keepResults, machineHere, shownFigure } from './results.ts'
import { measureStarts } from './start.ts'
import { measureSystems } from './systems.ts'
import type { Form } from './tiny-app.ts'
import { measureWebhooks } from './webhooks.ts'

const FORMS: readonly Form[] = ['container', 'compose']
/** Those of a run that names none. P1 brings P5, P11 and the journal along. */
const USUAL = ['P1', 'P2', 'P3', 'P4', 'P6', 'recovery'] as const
const MEASURES = [...USUAL, 'P8', 'P9', 'P10', 'notebooks', 'systems'] as const
type Measure = (typeof MEASURES)[number]
/** They make a world of their own. */
const APART: readonly Measure[] = ['recovery', 'P9', 'notebooks', 'systems']

const HELP = `npm run bench -- [--runs N] [--only MEASURE,...]

  --runs   pushes, deployments and starts of each kind (default 12)
  --only   P1 (with P5, P11 and the size of the journals), P2, P3, P4, P6, recovery, P8, P9,
           P10, notebooks, systems; default: all of them but P8, which watches for minutes, P9, which makes a
           database of 1 GB, P10, whose build prints as much, notebooks, which make a base image, and systems,
           which make an image of Debian

Measures Fairlead against the same commands in a shell script, in one run on this machine.
`

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '12' },
    only: { type: 'string', default: USUAL.join(',') },
    help: { type: 'boolean', default: false },
  },
})
const wanted = values.only.split(',') as Measure[]
if (values.help || !wanted.every(each => MEASURES.includes(each))) {
  process.stdout.write(HELP)
} else {
  await main(Number(values.runs), new Set(wanted)).catch(error => {
    // What went wrong first, and what the clean-up met with afterwards.
    for (let each = error; each !== undefined; each = each.suppressed) {
      say(String(each.error?.stack ?? each.stack))
    }
    process.exitCode = 1
  })
}

/** Nothing here fails because it is slow. */
async function main(runs: number, measures: ReadonlySet<Measure>): Promise<void> {
  const load = loadavg()[0] ?? 0
  // What was measured is told before anything is taken down.
  await using stack = new AsyncDisposableStack()
  const figures = await measureInWorld(runs, measures)
  if (measures.has('recovery')) {
    say('kills in the middle of a build')
    figures.push(...(await measureRecovery(say)))
  }
  if (measures.has('P9')) {
    say('10,000 apps on 100 hosts, 1,000,000 deployments')
    figures.push(...(await measureManyApps(systemClock, say)))
  }
  if (measures.has('notebooks')) {
    figures.push(...(await measureNotebooks(stack, Math.min(runs, 10), say)))
  }
  if (measures.has('systems')) {
    figures.push(...(await measureSystems(stack, say)))
  }
  await report(figures, { runs, load })
}

async function measureInWorld(runs: number, measures: ReadonlySet<Measure>): Promise<Figure[]> {
  const session = openSession({})
  const figures: Figure[] = []
  if ([...measures].every(each => APART.includes(each))) {
    return figures
  }
  await using world = await openWorld(session, {
    apps: [],
    tell: (part, what) => say(`${part}: ${what}`),
    // It pushes more often than any loop.
    environment: { FAIRLEAD_MOST_UNATTENDED: '0' },
  })
  const here: Session = { ...session, client: world.together.client }
  for (const form of FORMS) {
    figures.push(...(await measureForm(here, world, { form, runs, measures })))
  }
  if (measures.has('P3')) {
    say('idle memory and processor share (70 s)')
    figures.push(...(await measureIdle(world, session.clock)))
  }
  if (measures.has('P4')) {
    say('starts of the manager')
    figures.push(...(await measureStarts(world, { clock: session.clock, runs: Math.min(runs, 6) })))
  }
  if (measures.has('P8')) {
    say('1,000 repositories polled once a minute, for two minutes')
    figures.push(...(await measurePolling(world, here.client, session.clock)))
  }
  return figures
}

async function measureForm(
  session: Session,
  world: World,
  { form, runs, measures }: { form: Form; runs: number; measures: ReadonlySet<Measure> },
): Promise<Figure[]> {
  const contender: Contender = await openContender(world, session.client, form)
  const figures: Figure[] = []
  if (measures.has('P1')) {
    say(`${form}: ${runs} pushes each, Fairlead and the shell script in turn`)
    const before = await journalSize(world)
    const redeploys = await measureRedeploys(session, world, { contender, runs })
    const journal = journalFigures(form, before, await journalSize(world))
    say(`${form}: ${runs} pushes that nobody watches, ${runs} deployments with nothing to do`)
    figures.push(
      ...redeployFigures(form, redeploys),
      ...journal,
      ...(await measureOwnTime(session, world, { contender, runs, watched: redeploys.own })),
      ...(await measureNothingToDo(session, world, { contender, runs })),
    )
  }
  if (form === 'container') {
    figures.push(...(await measureOnce(session, world, { contender, measures })))
  }
  return figures
}

/** What does not depend on the form of the app. */
async function measureOnce(
  session: Session,
  world: World,
  { contender, measures }: { contender: Contender; measures: ReadonlySet<Measure> },
): Promise<Figure[]> {
  const figures: Figure[] = []
  if (measures.has('P2')) {
    say('webhooks over 50 connections')
    figures.push(...(await measureWebhooks(contender.hook, { clock: session.clock, folder: world.folder })))
  }
  if (measures.has('P6')) {
    say('20 pushes in 2 s')
    figures.push(...(await measureBurst(session, world, contender)))
  }
  if (measures.has('P10')) {
    say('a build that prints 1 GB')
    figures.push(...(await measureLongBuild(session, world, contender)))
  }
  return figures
}

async function report(
  figures: readonly Figure[],
  { runs, load }: { runs: number; load: number },
): Promise<void> {
  const rows = figures.map(({ id, what, value, unit, target, note }) => [
    id,
    what,
    `${shownFigure({ value, unit })} ${unit === 'ratio' ? '' : unit}`,
    target,
    note ?? '',
  ])
  say('')
  for (const line of tableLines(['', `medians of ${runs}`, 'measured', 'target', ''], rows)) {
    process.stdout.write(`${line}\n`)
  }
  const run = { at: new Date().toISOString(), load, machine: machineHere() }
  const table = await keepResults(import.meta.dirname, figures, run)
  const after = (loadavg()[0] ?? 0).toFixed(1)
  say(`\nwritten to ${table}; load of the machine ${load.toFixed(1)} before, ${after} after`)
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
