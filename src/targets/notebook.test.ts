import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ASLEEP, type ObservedContainer } from '#commands/container-data.ts'
import type { NotebookExamined } from '#commands/notebook-data.ts'
import { notebook } from './notebook.ts'
import { targetSettingsOf } from './notebook-project.ts'
import type { NotebookTargetSettings } from './notebook-settings.ts'
import { notebookWantsOf } from './notebook-wants.ts'
import { COMMIT, commandsOf, DIGEST, dataOf } from './test-container.ts'
import {
  anInput,
  assertTellable,
  CONTENT,
  ENVIRONMENT,
  examined,
  type Input,
  REFERENCE,
  settled,
} from './test-notebook.ts'

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

  test('leaves environments that nobody needs to be pruned, but none of a release of its own', () => {
    const older = { commit: COMMIT, content: { notebook: { environment: `e-${'9'.repeat(24)}` } } }
    const kept = notebook.plan(anInput({ kept: [older] } as never) as never)
    const { keep, environments } = dataOf(kept.prune, 'image.prune')
    assert.deepEqual([environments, keep], [true, [REFERENCE, ENVIRONMENT, `e-${'9'.repeat(24)}`]])
    assertTellable(kept)
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

describe('who may visit a name', () => {
  const withGuard = (guard: object | undefined, openAt?: string) => {
    const input = settled(anInput(openAt === undefined ? {} : { notebooks: { bases: [], openAt } }))
    const { routes } = input.found.routes as { routes: { churn: object } }
    const { guard: _, ...open } = routes.churn as { guard?: object }
    const churn = guard ? { ...open, guard } : open
    return notebook.plan({ ...input, found: { ...input.found, routes: { routes: { churn } } } } as never)
  }

  test('is put right when the login page or the gate is another one, and nothing is started for it', () => {
    const openAt = 'https://fairlead.example.org/open/'
    const login = `${openAt}churn`
    assert.equal(withGuard({ isOurs: true, login }, openAt).nothingToDo, true)
    for (const guard of [
      undefined,
      { isOurs: false, login },
      { isOurs: true, login: 'https://old/open/churn' },
    ]) {
      const plan = withGuard(guard, openAt)
      assert.deepEqual([commandsOf(plan).apply, commandsOf(plan).route], [[], ['route.point']])
      assert.deepEqual(dataOf(plan.route, 'route.point').guard, { login })
    }
  })

  test('is after a failure who might before it', () => {
    const failing = (guard: object | undefined) => {
      const input = settled(anInput())
      const { routes } = input.found.routes as { routes: { churn: object } }
      const { guard: _, ...open } = routes.churn as { guard?: object }
      const churn = guard ? { ...open, guard } : open
      const settings = { ...input.settings, memory: '2g' }
      const changed = { ...input, settings, found: { ...input.found, routes: { routes: { churn } } } }
      return dataOf(notebook.plan(changed as never).undo, 'route.point').guard
    }
    assert.equal(failing(undefined), undefined)
    assert.deepEqual(failing({ isOurs: true, login: 'https://a/open/churn' }), {
      login: 'https://a/open/churn',
    })
  })
})

test('what sleeps as wanted is left alone, and where its name has to change a new server is started', () => {
  const input = asleep(settled(anInput()))
  assert.equal(notebook.plan(input as never).nothingToDo, true)
  const settings = { folder: 'reports/churn', domain: 'other.example.org' }
  const moved = { ...input, settings }
  assert.deepEqual(commandsOf(notebook.plan(moved as never)).apply, ['container.start'])
})

test('names that decide how the server is reached are not for the project', () => {
  for (const name of ['JUPYTER_TOKEN', 'NB_MODE']) {
    const input = anInput({ settings: { folder: 'reports/churn', environment: { [name]: 'x' } } })
    assert.throws(() => notebookWantsOf(input), /JUPYTER_ or NB_ are set by Fairlead/)
  }
})

describe('limits of the administrator', () => {
  const limits = { memory: '4g', cpus: 2, pids: 300, shm: '1g', idle: '1h' }
  const wants = (settings: NotebookTargetSettings, most: typeof limits | Partial<typeof limits> = limits) =>
    notebookWantsOf(
      anInput({ settings: { folder: 'a', ...settings }, notebooks: { bases: [], limits: most } }),
    )

  test('hold for every setting, and the finding names the most', () => {
    const over: readonly [NotebookTargetSettings, RegExp][] = [
      [{ memory: '900000g' }, /run\.memory: 900000g", and the most is 4g/],
      [{ cpus: 3 }, /run\.cpus: 3", and the most is 2/],
      [{ pids: 301 }, /the most is 300/],
      [{ shm: '1025m' }, /the most is 1g/],
      [{ idle: { server: '0s' } }, /run\.idle\.server: never", and the most is 1h/],
      [{ idle: { server: '61m' } }, /the most is 1h/],
    ]
    for (const [settings, message] of over) {
      assert.throws(() => wants(settings), message)
      assert.doesNotThrow(() => wants(settings, {}))
    }
    assert.equal(wants({ memory: '4g', cpus: 2, pids: 300, shm: '1g' }).run.memoryBytes, 4 * 1024 ** 3)
  })

  test('bound what is taken where a project asks for nothing', () => {
    const { run } = wants({}, { memory: '512m', cpus: 0.5, pids: 100, shm: '64m', idle: '30m' })
    assert.deepEqual(
      [run.memoryBytes, run.cpus, run.pids, run.sandbox?.sharedMemoryBytes, run.labels?.['dev.nb.idle']],
      [512 * 1024 ** 2, 0.5, 100, 64 * 1024 ** 2, '1800'],
    )
    assert.equal(wants({}).run.labels?.['dev.nb.idle'], '3600')
  })
})

test('the notebook that was found first is the one that is opened, and a deploy file may name another', () => {
  const project = {
    ...{ slug: 'churn', folder: 'reports/churn', title: '', serves: true, notebooks: 2 },
    ...{ entry: 'index.ipynb', settings: {}, contentHash: '', problems: [] },
  }
  assert.equal(targetSettingsOf(project).entry, 'index.ipynb')
  assert.equal(targetSettingsOf({ ...project, entry: null }).entry, undefined)
  const input = anInput({ settings: { folder: 'reports/churn', entry: 'b.ipynb' } })
  assert.equal(notebookWantsOf(input).run.environment.NB_ENTRY, 'b.ipynb')
  const examine = notebook.look(input as never).find(({ command }) => command === 'notebook.examine')
  assert.deepEqual(examine?.data.settings, { entry: 'b.ipynb' })
})

test('a secret whose name no variable can have is found under the nearest name', () => {
  const input = anInput({
    settings: { folder: 'reports/churn', secrets: ['db-readonly'] },
    secrets: { db_readonly: 'x' },
  })
  assert.equal(notebookWantsOf(input).run.environment.db_readonly, 'x')
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
