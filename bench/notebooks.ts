import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import { systemClock } from '#lib/clock.ts'
import { mustRun } from '../integration/world/command.ts'
import { ask, type NotebookServer } from '../integration/world/notebook-server.ts'
import { type NotebookSystem, startNotebookSystem } from '../integration/world/notebook-system.ts'
import { smallBase } from '../integration/world/small-notebook.ts'
import { visitorOf } from '../integration/world/visitor.ts'
import type { Figure } from './figure.ts'
import { median } from './median.ts'
import { deploymentsOf, quiet, serveCrowd, TINY_PYTHON } from './notebook-crowd.ts'
import { type Files, project, requirements } from './notebook-files.ts'
import { openOtherOrder } from './notebook-order.ts'
import { durationOf, stepsOf } from './redeploy.ts'

/** Of what costs seconds each. */
const FEW = 3
const OTHERS = 199
const EVERY_MS = 50
/** So long the gate believes that what answered still does. */
const KNOWN_MS = 2_500
/** Each project has two addresses of it. */
const ROOMY = '10.213.0.0/20'
const ONE = 'bench-one'
const NEXT = 'bench-next'

/** From the end of a push to the link that serves it, with a real server, and what a server and its image cost. */
export async function measureNotebooks(
  stack: AsyncDisposableStack,
  runs: number,
  say: (text: string) => void,
): Promise<Figure[]> {
  say('notebooks: a base image with Jupyter, and its push')
  const versions = Array.from({ length: FEW + 1 }, (_, at) => ({
    ...{ name: 'tiny', version: `1.${at}`, source: `value = ${at}\n` },
  }))
  const world = await startNotebookSystem(stack, {
    packages: versions,
    subnet: ROOMY,
    others: ({ baseImage }) => [smallBase(baseImage, TINY_PYTHON)],
    environment: { FAIRLEAD_MOST_UNATTENDED: '0' },
  })
  world.system.own(ONE)
  world.system.own(NEXT)
  const bench = new NotebookBench(world)
  say('notebooks: the first project, and one beside it')
  const first = await bench.push({ ...project(ONE, 'first'), ...requirements(ONE, 0) })
  const next = await bench.push(project(NEXT, 'next'), NEXT)
  say(`notebooks: ${runs} changes of one notebook`)
  const before = await bench.layers()
  const edits = await times(runs, async at => await bench.push(project(ONE, `edit ${at}`)))
  const image = await bench.imageFigures(before)
  say(`notebooks: ${FEW} changes of one notebook by hand, in the order of repo2docker`)
  const byHand = await bench.otherOrder(stack)
  say(`notebooks: ${FEW} changes of what is installed`)
  const changes = await times(
    FEW,
    async at => await bench.push({ ...project(ONE, `with ${at}`), ...requirements(ONE, at) }),
  )
  say(`notebooks: ${FEW} wakes`)
  const wakes = await times(FEW, async () => await bench.wake())
  const memory = await bench.memory()
  say(`notebooks: ${OTHERS} other projects, each with a server, which then sleep`)
  const crowdMs = await serveCrowd(world, OTHERS)
  const all = OTHERS + 2
  if (crowdMs === undefined) {
    say('notebooks: the others were not all served in time; nothing is measured among them')
  } else {
    say(`notebooks: ${FEW} changes of one of ${all}`)
  }
  const large =
    crowdMs === undefined
      ? []
      : await times(FEW, async at => await bench.push(project(ONE, `among many ${at}`)))
  const planned = large.map(({ planning }) => planning)
  const rest = large.map(({ restMs }) => restMs)
  return [
    live('first deployment, its environment is built', [first]),
    live('new project, what it needs is there', [next]),
    live('a notebook changed', edits, '<= 3000'),
    ms('the same by hand, in the order of repo2docker, whose layers are kept', byHand.warm, ''),
    ms('the same, with a builder that has nothing', byHand.cold, ''),
    live('what is installed changed', changes),
    ...image,
    ms('wake: request to a stopped server until it answers', wakes, '<= 2000'),
    memory,
    ...(crowdMs === undefined
      ? []
      : [
          ms(`${OTHERS} new projects in one push until all are served`, [crowdMs], ''),
          live(`a notebook changed, one of ${all} served projects`, large, '<= 3000'),
          { ...ms('reading and planning it', planned, '<= 500'), id: 'P7' },
          ms(`until the other ${all - 1} were found to have nothing to do`, rest, ''),
        ]),
  ]
}

interface Served {
  readonly ms: number
  readonly planning: number
  /** From the push until nothing of it is at work any more. */
  readonly restMs: number
  readonly note: string
}

class NotebookBench {
  readonly #world: NotebookSystem
  readonly #visitors = new Map<string, NotebookServer>()

  constructor(world: NotebookSystem) {
    this.#world = world
  }

  /** Its text is the one of the last file of the app's notebook. */
  async push(files: Files, app = ONE): Promise<Served> {
    const { client } = this.#world.system.together()
    const known = (await deploymentsOf(client, { app })).map(({ id }) => id)
    const commit = await this.#world.remote.push(files)
    const pushedAt = systemClock.monotonic()
    await this.#world.tellOf(commit)
    await this.#serves(app, files[`${app}/analysis.ipynb`] ?? '')
    const ms = systemClock.monotonic() - pushedAt
    await quiet(client)
    const restMs = systemClock.monotonic() - pushedAt
    const made = (await deploymentsOf(client, { app })).filter(({ id }) => !known.includes(id))
    const ended = await Promise.all(made.map(({ id }) => client.get<DeploymentDetail>(`/deployments/${id}`)))
    const planning = ended.flatMap(({ steps }) => steps.filter(({ name }) => /^(read|plan)$/.test(name)))
    const sum = planning.reduce((total, step) => total + durationOf(step), 0)
    return { ms, planning: sum, restMs, note: stepsOf(ended) }
  }

  async #serves(app: string, text: string): Promise<void> {
    const wanted = JSON.parse(text).cells[0].source[0] as string
    for (;;) {
      const body = await this.#bodyOf(app).catch(() => '')
      if (body.includes(`"${wanted}"`)) {
        return
      }
      const [last] = await deploymentsOf(this.#world.system.together().client, { app })
      if (last?.state === 'failed') {
        throw new Error(`${app} is not served: ${JSON.stringify(last.error, undefined, 2)}`)
      }
      await systemClock.sleep(EVERY_MS)
    }
  }

  async #bodyOf(app: string): Promise<string> {
    const visitor = this.#visitors.get(app) ?? (await visitorOf(this.#world.system.together().client, app))
    this.#visitors.set(app, visitor)
    return (await ask(visitor, '/api/contents/project/analysis.ipynb')).body
  }

  async wake(): Promise<number> {
    await docker('stop', await containerOf(ONE))
    // The gate takes what answered a moment ago for awake, unless it was Fairlead that stopped it.
    await systemClock.sleep(KNOWN_MS)
    const startedAt = systemClock.monotonic()
    while (!(await this.#bodyOf(ONE)).includes('"cells"')) {
      await systemClock.sleep(EVERY_MS)
    }
    return systemClock.monotonic() - startedAt
  }

  /** A notebook changed, without Fairlead: it is told of nothing. */
  async otherOrder(stack: AsyncDisposableStack): Promise<Record<'warm' | 'cold', readonly number[]>> {
    const repository = (await this.#world.git('rev-parse', '--absolute-git-dir')).trim()
    const order = await openOtherOrder(stack, this.#world, { app: ONE, repository })
    const change = async (text: string, cache: 'warm' | 'cold') => {
      const files = { ...project(ONE, text), ...requirements(ONE, 0) }
      return await order.serve(await this.#world.remote.push(files), text, cache)
    }
    await change('by hand', 'warm')
    const warm = await times(FEW, async at => await change(`by hand ${at}`, 'warm'))
    return { warm, cold: await times(FEW, async at => await change(`by hand, anew ${at}`, 'cold')) }
  }

  /** Of the image that serves, the lowest first. */
  async layers(): Promise<readonly string[]> {
    const image = (await docker('inspect', '--format', '{{.Image}}', await containerOf(ONE))).trim()
    return JSON.parse(await docker('image', 'inspect', '--format', '{{json .RootFS.Layers}}', image))
  }

  /** Compared with the layers that it had before its notebook changed. */
  async imageFigures(before: readonly string[]): Promise<Figure[]> {
    const image = (await docker('inspect', '--format', '{{.Image}}', await containerOf(ONE))).trim()
    const base = `${this.#world.system.registry.address}/nb/jupyter:1`
    const sizeOf = async (name: string) =>
      Number(await docker('image', 'inspect', '--format', '{{.Size}}', name))
    const layers = await this.layers()
    const made = layers.filter(layer => !before.includes(layer)).length
    const history = await docker('history', '--human=false', '--format', '{{.Size}}', image)
    const sizes = history.trim().split('\n').map(Number)
    // The newest come first, and what only sets something has no layer.
    const anew = sizes
      .filter(size => size > 0)
      .slice(0, made)
      .reduce((sum, size) => sum + size, 0)
    const [whole, below] = [await sizeOf(image), await sizeOf(base)]
    return [
      { ...NOTHING, what: 'image over its base', value: (whole - below) / 1024, unit: 'KiB' },
      {
        ...NOTHING,
        what: 'of the image, what a changed notebook makes anew',
        value: anew / 1024,
        unit: 'KiB',
        note: `${made} of ${layers.length} layers, ${((1 - anew / whole) * 100).toFixed(3)} % of the bytes stay`,
      },
    ]
  }

  /** Right after its start, no kernel. */
  async memory(): Promise<Figure> {
    const told = await docker('stats', '--no-stream', '--format', '{{.MemUsage}}', await containerOf(NEXT))
    const [, value, unit] = /^([\d.]+)(MiB|GiB)/.exec(told) ?? []
    const mib = Number(value) * (unit === 'GiB' ? 1024 : 1)
    return { ...NOTHING, what: 'memory of a server without a kernel', value: mib, unit: 'MiB' }
  }
}

const NOTHING = { id: '', target: '' } as const

async function containerOf(app: string): Promise<string> {
  return (
    await docker('ps', '--all', '--quiet', '--latest', '--filter', `label=io.fairlead.app=${app}`)
  ).trim()
}

function docker(...args: string[]): Promise<string> {
  return mustRun('docker', args, { folder: '/' })
}

async function times<T>(count: number, run: (at: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let at = 1; at <= count; at++) {
    results.push(await run(at))
  }
  return results
}

function live(what: string, served: readonly Served[], target = ''): Figure {
  const [last] = served.slice(-1)
  const samples = served.map(each => each.ms)
  return {
    ...ms(`commit to live: ${what}`, samples, target),
    note: `${samples.length} ×; ${last?.note ?? ''}`,
  }
}

function ms(what: string, samples: readonly number[], target: string): Figure {
  return { id: '', what, value: median(samples), unit: 'ms', target, samples }
}
