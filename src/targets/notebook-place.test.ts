import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SLEEP_LABEL } from '#commands/container-data.ts'
import { notebook } from './notebook.ts'
import { notebookPlaces } from './notebook-place.ts'
import { targetSettingsOf } from './notebook-project.ts'
import type { NotebookTargetSettings } from './notebook-settings.ts'
import { notebookWantsOf } from './notebook-wants.ts'
import { commandsOf, dataOf } from './test-container.ts'
import { anInput, assertTellable, settled } from './test-notebook.ts'

const APP = { name: 'churn', baseDomain: 'example.org' }
const FACTS = { bases: [], mode: 'path', host: 'NB.example.org' } as const
const PREFIX = '/nb/churn/'
const folder = 'reports/churn'

const sharing = (settings: Partial<NotebookTargetSettings> = {}) =>
  anInput({ notebooks: FACTS, settings: { folder, address: 'path', ...settings } })

describe('where a notebook is found', () => {
  const placed = (settings: NotebookTargetSettings, facts?: Parameters<typeof notebookPlaces>[2]) =>
    notebookPlaces(settings, APP, facts)

  const own = { hosts: ['churn.example.org'] }
  const team = { address: 'path' } as const

  test('is a host of its own unless the administrator lets notebooks share one', () => {
    for (const facts of [
      undefined,
      { bases: [] },
      { bases: [], mode: 'host', host: 'nb.example.org' },
    ] as const) {
      assert.deepEqual(placed({}, facts), own)
      assert.deepEqual(placed(team, facts), own)
    }
    assert.deepEqual(placed(team, FACTS), { hosts: ['nb.example.org'], prefix: PREFIX })
    assert.deepEqual(placed(team, { bases: [], mode: 'path' }).hosts, ['notebooks.example.org'])
    assert.deepEqual(notebook.domains(team, APP, FACTS), ['nb.example.org/nb/churn/'])
  })

  test('is shared only by a project that says that it may', () => {
    assert.deepEqual(placed({}, FACTS), own)
    assert.deepEqual(placed({ address: 'host' }, FACTS), own)
    assert.deepEqual(placed({ ...team, domain: 'own.example.org' }, FACTS), { hosts: ['own.example.org'] })
  })

  test('may be shared by whom nb.yaml trusts as a team', () => {
    const addressOf = (access: object) =>
      targetSettingsOf({
        ...{ slug: 'churn', folder, title: '', serves: true, notebooks: 1, entry: null },
        ...{ settings: { access }, contentHash: '', problems: [] },
      }).address
    assert.equal(addressOf({ trust: 'isolated' }), undefined)
    assert.equal(addressOf({ trust: 'team' }), 'path')
    assert.equal(addressOf({}), undefined)
  })
})

describe('a notebook that shares its host', () => {
  const plan = notebook.plan(sharing() as never)

  test('is started, asked and led to below its prefix', () => {
    assertTellable(plan)
    const start = dataOf(plan.apply, 'container.start')
    assert.equal((start.environment as Record<string, string>).NB_BASE_URL, PREFIX)
    assert.equal((start.labels as Record<string, string>)[SLEEP_LABEL.base], PREFIX)
    assert.equal((start.health as { http: string }).http, '/nb/churn/api')
    const { hosts, prefix, probe } = dataOf(plan.route, 'route.point')
    assert.deepEqual([hosts, prefix], [['nb.example.org'], PREFIX])
    assert.deepEqual(probe, { path: '/nb/churn/api', expect: { from: 200, to: 399 } })
    assert.deepEqual(plan.release.hosts, ['nb.example.org/nb/churn/'])
    assert.ok(plan.changes.some(({ kind, what }) => kind === 'route' && what === 'nb.example.org/nb/churn/'))
  })

  test('is asked for what its project names, and as a dashboard, below it as well', () => {
    const probeOf = (settings: Partial<NotebookTargetSettings>) =>
      notebookWantsOf(sharing(settings)).probe?.path
    assert.equal(probeOf({ verify: { http: '/api/status' } }), '/nb/churn/api/status')
    assert.equal(probeOf({ mode: 'voila' }), '/nb/churn/voila/static/')
  })

  test('is left alone when it runs and is led to so, and asked there', () => {
    const input = settled(sharing())
    assert.equal(notebook.plan(input as never).nothingToDo, true)
    const asked = notebook.look(input as never).find(({ command }) => command === 'route.verify')
    const [route] = (asked?.data.routes ?? []) as { prefix?: string }[]
    assert.equal(route?.prefix, PREFIX)
  })

  test('is led to anew when the proxy leads to it elsewhere, and a failure brings back where it was', () => {
    const input = settled(sharing())
    const { churn } = (input.found.routes as { routes: { churn: { prefix?: string } } }).routes
    const { prefix: _, ...whole } = churn
    const found = { ...input.found, routes: { routes: { churn: whole } } }
    const again = notebook.plan({ ...input, found } as never)
    assert.deepEqual([commandsOf(again).apply, commandsOf(again).route], [[], ['route.point']])

    const changed = notebook.plan({ ...input, settings: { folder, memory: '2g' } } as never)
    assert.equal(dataOf(changed.undo, 'route.point').prefix, PREFIX)
    const moving = notebook.plan({
      ...settled(anInput()),
      ...{ notebooks: FACTS, settings: { folder, address: 'path' } },
    } as never)
    assert.equal(dataOf(moving.route, 'route.point').prefix, PREFIX)
    assert.equal(dataOf(moving.undo, 'route.point').prefix, undefined)
    assert.deepEqual(
      moving.changes.filter(({ kind }) => kind === 'route').map(({ what, why }) => `${what} ${why}`),
      ['nb.example.org/nb/churn/ to port 8888', 'churn.example.org no longer'],
    )
  })

  test('that has a host of its own is made as before', () => {
    const { run, prefix } = notebookWantsOf(anInput())
    assert.deepEqual([prefix, run.environment.NB_BASE_URL, run.health?.http], [undefined, '/', '/api'])
    assert.equal(run.labels?.[SLEEP_LABEL.base], undefined)
  })
})
