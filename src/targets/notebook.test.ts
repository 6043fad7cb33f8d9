import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ASLEEP, type ObservedContainer } from '#commands/container-data.ts'
import { commandNamed } from '#commands/index.ts'
import type { NotebookExamined } from '#commands/notebook-data.ts'
import { problemsOf } from '#lib/check.ts'
import { configHashOf } from './container-wants.ts'
import { notebook } from './notebook.ts'
import type { NotebookTargetSettings } from './notebook-settings.ts'
import { notebookWantsOf } from './notebook-wants.ts'
import type { Plan, PlanInput } from './target.ts'
import { aContainer, COMMIT, commandsOf, DIGEST, dataOf } from './test-container.ts'

type Input = PlanInput<NotebookTargetSettings>

const ENVIRONMENT = `e-${'1'.repeat(24)}`
const CONTENT = `t-${'2'.repeat(24)}`
const REFERENCE = `fairlead/notebooks/p/churn:${CONTENT}`

function examined(changes: Partial<NotebookExamined> = {}): NotebookExamined {
  return {
    ...{ slug: 'churn', title: 'Churn', notebooks: ['analysis.ipynb'], entry: 'analysis.ipynb' },
    ...{ language: 'python', pack: 'pip', versions: {}, settings: {}, warnings: [], problems: [] },
    ...{ inputs: ['requirements.txt'], isAppendable: true, dockerfile: '' },
    environment: { key: ENVIRONMENT, reference: `fairlead/notebooks/env:${ENVIRONMENT}`, present: 'missing' },
    content: { key: CONTENT, reference: REFERENCE, registry: 'none' },
    ...changes,
  }
}

function anInput(changes: Partial<Input> = {}, seen = examined()): Input {
  return {
    app: { name: 'churn', baseDomain: 'example.org' },
    settings: { folder: 'reports/churn' },
    deployment: '01990000-0000-7000-8000-00000000000b',
    source: { commit: COMMIT, branch: 'main', repository: 'r1', texts: {}, paths: [] },
    found: { examined: seen, containers: { containers: [] }, routes: { routes: { churn: null } } },
    registry: undefined,
    secrets: {},
    previous: undefined,
    ...changes,
  }
}

function assertTellable(plan: Plan): void {
  const filled = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (key, each) =>
      each?.$result === undefined
        ? each
        : ({ ip: '10.1.0.17', container: { id: 'f'.repeat(64), name: 'c', startedAt: '', restarts: 0 } }[
            each.field as string
          ] ??
          { how: 'built', imageId: DIGEST, digest: DIGEST }[key] ??
          'host/name:t-1'),
    )
  for (const tell of Object.values(plan).flatMap(list => (Array.isArray(list) ? list : []))) {
    if ('command' in tell) {
      assert.deepEqual(problemsOf(commandNamed(tell.command).data, filled(tell.data)), [], tell.command)
    }
  }
}

/** The same after it was deployed. */
function settled(input: Input): Input {
  const container: ObservedContainer = aContainer({
    configHash: configHashOf(notebookWantsOf(input), REFERENCE),
    name: 'churn-1',
  })
  const { ip, deployment } = container
  const route = { hosts: ['churn.example.org'], port: 8888, ip, deployment }
  const { content } = examined()
  const seen = examined(content ? { content: { ...content, localImageId: DIGEST } } : {})
  return {
    ...input,
    found: { examined: seen, containers: { containers: [container] }, routes: { routes: { churn: route } } },
  }
}

function asleep(input: Input): Input {
  const { containers } = input.found.containers as { containers: readonly ObservedContainer[] }
  const sleeping = containers.map(each => ({ ...each, state: ASLEEP }))
  return { ...input, found: { ...input.found, containers: { containers: sleeping } } }
}

describe('R9 a notebook project for the first time', () => {
  const plan = notebook.plan(anInput() as never)

  test('gets an environment, its files on it, a server beside nothing, and an address that was asked', () => {
    assert.deepEqual(commandsOf(plan), {
      build: ['notebook.environment', 'notebook.content'],
      push: [],
      apply: ['container.start'],
      verify: ['container.verify'],
      route: ['route.point'],
      watch: [],
      prune: ['image.prune'],
      undo: ['container.remove', 'route.remove'],
    })
    assertTellable(plan)
    assert.deepEqual(dataOf(plan.route, 'route.point').probe, {
      path: '/api',
      expect: { from: 200, to: 399 },
    })
  })

  test('has no privilege, limits, a volume for work, no port of the host, and no token in the plan', () => {
    const start = dataOf(plan.apply, 'container.start')
    assert.deepEqual(
      [start.user, start.memoryBytes, start.cpus, start.pids, start.ports],
      ['1000:1000', 1024 ** 3, 1, 256, []],
    )
    assert.deepEqual(start.volumes, [{ name: 'work', path: '/srv/work', shared: true }])
    const environment = start.environment as Record<string, string>
    assert.equal(environment.JUPYTER_TOKEN_FILE, '/run/secrets/jupyter_token')
    assert.ok(!('JUPYTER_TOKEN' in environment))
    assert.equal((start.sandbox as { token: boolean }).token, true)
  })

  test('keeps what later deployments compare with', () => {
    assert.deepEqual(plan.release.notebook, {
      ...{ folder: 'reports/churn', title: 'Churn', entry: 'analysis.ipynb', mode: 'default' },
      ...{ pack: 'pip', language: 'python', environment: ENVIRONMENT, content: CONTENT },
    })
  })
})

test('R9 what runs as wanted and answers is left alone', () => {
  const input = settled(anInput())
  const plan = notebook.plan(input as never)
  assert.equal(plan.nothingToDo, true)
  assert.ok(notebook.look(input as never).some(({ command }) => command === 'route.verify'))
})

test('what sleeps as wanted is left alone, and where its name has to change a new server is started', () => {
  const input = asleep(settled(anInput()))
  assert.equal(notebook.plan(input as never).nothingToDo, true)
  const moved = asleep(
    settled(anInput({ settings: { folder: 'reports/churn', domain: 'other.example.org' } })),
  )
  assert.deepEqual(commandsOf(notebook.plan(moved as never)).apply, ['container.start'])
})

test('names that decide how the server is reached are not for the project', () => {
  for (const name of ['JUPYTER_TOKEN', 'NB_MODE']) {
    const input = anInput({ settings: { folder: 'reports/churn', environment: { [name]: 'x' } } })
    assert.throws(() => notebookWantsOf(input), /JUPYTER_ or NB_ are set by Fairlead/)
  }
})

test('another commit with the same files and settings is no other container', () => {
  const input = settled(anInput())
  const later = { ...input, source: { ...input.source, commit: 'd'.repeat(40) } }
  assert.equal(notebook.plan(later as never).nothingToDo, true)
})

describe('a change', () => {
  const before = notebook.plan(anInput() as never).release
  const previous = { id: 'r', commit: 'a'.repeat(40), configHash: 'x', content: before }
  const wordsOf = (input: Input) =>
    notebook
      .plan(input as never)
      .changes.map(({ kind, what, why = '' }) => `${kind} ${what.replace(/:.*/, '')} ${why}`)

  test('of a notebook is told as a layer, and the environment is not mentioned', () => {
    const content = {
      key: `t-${'3'.repeat(24)}`,
      reference: 'fairlead/notebooks/p/churn:t-3',
      registry: 'none',
    } as const
    const environment = { key: ENVIRONMENT, reference: 'env', present: 'local' } as const
    const words = wordsOf(anInput({ previous }, examined({ content, environment })))
    assert.ok(
      words.includes('build fairlead/notebooks/p/churn its files are added as a layer'),
      words.join('\n'),
    )
    assert.ok(!words.some(line => line.includes('environment')), words.join('\n'))
  })

  test('of a dependency names the file that changed, which Git is asked for', () => {
    const environment = { key: `e-${'4'.repeat(24)}`, reference: 'env', present: 'missing' } as const
    const input = anInput({ previous }, examined({ environment, inputs: ['requirements.txt', 'apt.txt'] }))
    const asked = notebook.look(input as never).find(({ key }) => key === 'inputs')
    assert.deepEqual(asked?.data.watch, ['reports/churn/requirements.txt', 'reports/churn/apt.txt'])
    const inputs = { compared: 'yes', changed: 9, watched: 1, examples: ['reports/churn/requirements.txt'] }
    const words = wordsOf({ ...input, found: { ...input.found, inputs } })
    assert.ok(words.includes('build environment changed: reports/churn/requirements.txt'), words.join('\n'))
  })
})

test('what forbids an image is told with file and line, before anything is touched', () => {
  const hint = 'Write name==version.'
  const problems = [{ code: 'X', message: 'It cannot be read.', hint, file: 'requirements.txt', line: 3 }]
  const { environment: _, content: __, ...seen } = examined({ problems })
  assert.throws(
    () => notebook.plan(anInput({}, seen as NotebookExamined) as never),
    (error: { code: string; message: string; problems: unknown }) => {
      assert.equal(error.code, 'NOTEBOOK_REFUSED')
      assert.match(error.message, /reports\/churn\/requirements\.txt:3 It cannot be read/)
      assert.deepEqual(error.problems, [
        {
          path: '',
          message: 'It cannot be read.',
          expected: hint,
          file: 'reports/churn/requirements.txt',
          line: 3,
        },
      ])
      return true
    },
  )
})

describe('a mode', () => {
  const startOf = (settings: NotebookTargetSettings) =>
    dataOf(notebook.plan(anInput({ settings }) as never).apply, 'container.start')

  for (const mode of ['reader', 'voila'] as const) {
    test(`${mode} leaves nothing that can be written to but memory`, () => {
      const { readOnly, volumes } = startOf({ folder: 'a', mode })
      assert.deepEqual([readOnly, volumes], [true, []])
    })
  }

  test('to work in keeps what is saved', () => {
    const { readOnly, environment } = startOf({ folder: 'a', mode: 'lab' })
    assert.equal(readOnly, undefined)
    assert.equal((environment as { NB_MODE?: string }).NB_MODE, 'lab')
  })

  test('static is refused: it needs no server', () => {
    assert.throws(() => startOf({ folder: 'a', mode: 'static' }), /preview/)
  })
})

test('a release is brought back by its digest, without its repository', () => {
  const pinned = `registry.example:5000/notebooks/p/churn@${DIGEST}`
  const { release } = notebook.plan(anInput() as never)
  const content = { ...release, pinned, imageId: DIGEST }
  const goal = { id: 'r', commit: COMMIT, configHash: 'x', content }
  const found = {
    image: { images: [{ key: 'churn', registry: 'present' }] },
    containers: { containers: [] },
    routes: { routes: { churn: null } },
  }
  const plan = notebook.plan(anInput({ goal, found }) as never)
  assert.deepEqual(commandsOf(plan).build, ['image.fetch'])
  assert.deepEqual(plan.release.notebook, release.notebook)
  assertTellable(plan)
})
