import { writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openWorld, type World } from '#cli/demo/world.ts'
import { tableLines } from '#cli/print.ts'
import { openSession, type Session } from '#cli/session.ts'
import { type Contender, openContender } from './bench-world.ts'
import type { Figure } from './figure.ts'
import { measureIdle } from './idle.ts'
import { journalFigures, journalSize } from './journal-size.ts'
import { measureNothingToDo } from './nothing-to-do.ts'
import { measureRedeploys, redeployFigures } from './redeploy.ts'
import { measureStarts } from './start.ts'
import type { Form } from './tiny-app.ts'
import { measureWebhooks } from './webhooks.ts'

const RESULTS = join(import.meta.dirname, 'results.json')
const FORMS: readonly Form[] = ['container', 'compose']

const { values } = parseArgs({ options: { runs: { type: 'string', default: '12' } } })
await main(Number(values.runs)).catch(error => {
  // What went wrong first, and what the clean-up met with afterwards.
  for (let each = error; each !== undefined; each = each.suppressed) {
    say(String(each.error?.stack ?? each.stack))
  }
  process.exitCode = 1
})

/** Measures Fairlead against the shell script in one run on this machine. Nothing here fails because it is slow. */
async function main(runs: number): Promise<void> {
  const session = openSession({})
  const figures: Figure[] = []
  const load = loadavg()[0] ?? 0
  await using world = await openWorld(session, { apps: [], tell: (part, what) => say(`${part}: ${what}`) })
  const here: Session = { ...session, client: world.together.client }
  for (const form of FORMS) {
    figures.push(...(await measureForm(here, world, { form, runs })))
  }
  say('idle memory and processor share (20 s)')
  figures.push(...(await measureIdle(world, session.clock)))
  say('starts of the manager')
  figures.push(...(await measureStarts(world, { clock: session.clock, runs: Math.min(runs, 6) })))
  await report(figures, { runs, load })
}

async function measureForm(
  session: Session,
  world: World,
  { form, runs }: { form: Form; runs: number },
): Promise<Figure[]> {
  say(`${form}: ${runs} pushes each, Fairlead and the shell script in turn`)
  const contender: Contender = await openContender(world, session.client, form)
  const before = await journalSize(world)
  const redeploys = await measureRedeploys(session, world, { contender, runs })
  const journal = journalFigures(form, before, await journalSize(world))
  say(`${form}: ${runs} deployments with nothing to do`)
  return [
    ...redeployFigures(form, redeploys),
    ...journal,
    ...(await measureNothingToDo(session, world, { contender, runs })),
    ...(form === 'container' ? await measureWebhooks(contender.hook, session.clock) : []),
  ]
}

async function report(
  figures: readonly Figure[],
  { runs, load }: { runs: number; load: number },
): Promise<void> {
  const rows = figures.map(({ id, what, value, unit, target, note }) => [
    id,
    what,
    `${shown(value, unit)} ${unit === 'ratio' ? '' : unit}`,
    target,
    note ?? '',
  ])
  say('')
  for (const line of tableLines(['', `medians of ${runs}`, 'measured', 'target', ''], rows)) {
    process.stdout.write(`${line}\n`)
  }
  const text = JSON.stringify({ at: new Date().toISOString(), runs, load_before: load, figures }, rounded, 2)
  await writeFile(RESULTS, `${text}\n`)
  say(`\nwritten to ${RESULTS}`)
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value
}

function shown(value: number, unit: Figure['unit']): string {
  return value.toFixed(unit === 'ratio' || unit === '%' ? 2 : 0)
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
