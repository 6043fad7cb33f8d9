import { deepEqual, equal, match, notEqual } from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { FoundProject } from '#targets/notebook-project.ts'
import { expandNotebooks, notebookApps } from './notebook-apps.ts'
import type { ReadApp } from './parse.ts'

function project(folder: string, changes: Partial<FoundProject> = {}): FoundProject {
  return {
    slug: folder.replaceAll('/', '-'),
    folder,
    title: folder,
    serves: true,
    notebooks: 1,
    entry: 'a.ipynb',
    settings: {},
    contentHash: 'c',
    problems: [],
    ...changes,
  }
}

function app(name: string, settings: object, common: ReadApp['common'] = {}): ReadApp {
  return { name, target: 'notebook', settings: { ...settings }, common }
}

describe('a repository without a deploy file', () => {
  test('has an app for each project that is served, called by its slug', () => {
    const found = [
      project('a/b', {
        settings: { mode: 'voila', run: { memory: '2t', env: { A: '1' }, secrets: ['DB'] } },
      }),
      project('guessed', { serves: false }),
      project('shown', { settings: { mode: 'static' } }),
    ]
    const { apps, shown, broken } = notebookApps(found)
    const [only, ...others] = apps
    deepEqual(others, [])
    deepEqual([shown.map(({ slug }) => slug), [...broken]], [['guessed', 'shown'], []])
    deepEqual([only?.name, only?.target, only?.files?.kind], ['a-b', 'notebook', 'notebook'])
    deepEqual(only?.settings, {
      ...{ folder: 'a/b', entry: 'a.ipynb', mode: 'voila', memory: '2048g' },
      ...{ secrets: ['DB'], environment: { A: '1' } },
    })
  })

  test('P7 an app is known to be as it was by its own folder and settings alone', () => {
    const printOf = (changes: Partial<FoundProject>) =>
      notebookApps([project('a', changes)]).apps[0]?.files?.fingerprint
    equal(printOf({ title: 'Other' }), printOf({}))
    for (const changes of [
      { contentHash: 'd' },
      { settings: { run: { memory: '2g' } } },
      { settings: { env: { python: '3.12' } } },
    ]) {
      notEqual(printOf(changes), printOf({}))
    }
    equal(printOf({ settings: { env: { include: ['../lib'] } } }), undefined)
  })
})

describe('a deploy file', () => {
  const found = [
    project('x/a', { settings: { run: { memory: '1g', cpus: 2 } } }),
    project('x/b'),
    project('y'),
  ]

  test('makes an app of each project that a pattern matches, and its settings win', () => {
    const { apps, problems } = expandNotebooks(
      [app('lessons', { path: 'x/*', memory: '4g' }, { url_file: 'URL.md' })],
      found,
    )
    deepEqual(problems, [])
    deepEqual(
      apps.map(({ name, settings, common }) => [name, settings.memory, settings.cpus, common.url_file]),
      [
        ['x-a', '4g', 2, 'x/a/URL.md'],
        ['x-b', '4g', undefined, 'x/b/URL.md'],
      ],
    )
  })

  test('gives a plain folder the name of its app, and no pattern takes it', () => {
    const { apps, problems } = expandNotebooks(
      [app('all', { path: 'x/*' }), app('mine', { path: './x/a/' })],
      found,
    )
    deepEqual(problems, [])
    deepEqual(
      apps.map(({ name, settings }) => [name, settings.folder]),
      [
        ['x-b', 'x/b'],
        ['mine', 'x/a'],
      ],
    )
  })

  test('that matches nothing, or a name that is taken, is told with the way out', () => {
    const { problems } = expandNotebooks(
      [app('none', { path: 'z/*' }), app('x-b', { path: 'y' }), app('all', { path: 'x/*' })],
      found,
    )
    deepEqual(
      problems.map(({ path }) => path),
      ['apps.none.path', 'apps.all.path'],
    )
    match(problems[0]?.message ?? '', /matches no notebook project: "z\/\*"/)
    match(problems[1]?.message ?? '', /"x-b" in x\/b/)
    match(problems[1]?.expected ?? '', /slug/)
  })

  test('makes no app of a project whose nb.yaml is wrong, and says which one that would be', () => {
    const wrong = [{ path: 'mode', message: 'is "lap"', file: 'x/a/nb.yaml', line: 1 }]
    const bad = [project('x/a', { wrong }), project('x/b')]
    const { apps, broken, problems } = expandNotebooks(
      [app('all', { path: 'x/*' }), app('mine', { path: 'x/a' })],
      bad,
    )
    deepEqual([apps.map(({ name }) => name), problems], [['x-b'], []])
    deepEqual([...broken], [['mine', wrong]])
    deepEqual([...expandNotebooks([app('all', { path: 'x/*' })], bad).broken], [['x-a', wrong]])
  })

  test('leaves projects that are only shown without an app', () => {
    const shown = [project('x/a', { settings: { mode: 'static' } }), project('x/b')]
    const { apps } = expandNotebooks([app('all', { path: 'x/*' })], shown)
    deepEqual(
      apps.map(({ name }) => name),
      ['x-b'],
    )
  })
})
