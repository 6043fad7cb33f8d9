import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { type NotebookScan, scanNotebooks, scanReads } from './scan.ts'

const NB = '{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[]}'

type Files = Readonly<Record<string, string>>

function scan(files: Files, more: Partial<Parameters<typeof scanNotebooks>[0]> = {}): NotebookScan {
  const reads = new Set(scanReads(Object.keys(files)))
  return scanNotebooks({
    files: Object.entries(files).map(([path, text]) => ({
      path,
      mode: '100644',
      oid: createHash('sha1').update(text).digest('hex'),
      size: text.length,
    })),
    text: path => (reads.has(path) ? files[path] : undefined),
    repositoryName: 'demo',
    ...more,
  })
}

const shown = ({ projects }: NotebookScan) =>
  projects.map(({ folder, foundBy, notebooks }) => `${folder || '.'} ${foundBy}: ${notebooks.join(' ')}`)

test('every folder with notebooks and a dependency file or a binder folder is a project', () => {
  const found = scan({
    'a/x.ipynb': NB,
    'a/requirements.txt': '',
    'b/deep/y.ipynb': NB,
    'b/deep/.binder/environment.yml': '',
    'c/data.csv': '',
    'c/requirements.txt': '',
  })
  deepEqual(shown(found), ['a configured: x.ipynb', 'b/deep configured: y.ipynb'])
  ok(found.projects.every(({ serves }) => serves))
  deepEqual(found.projects[1]?.files.map(({ path }) => path).sort(), ['.binder/environment.yml', 'y.ipynb'])
})

test('a project inside another is cut out of it unless that one ships what is nested', () => {
  const files = {
    'a/x.ipynb': NB,
    'a/requirements.txt': '',
    'a/sub/y.ipynb': NB,
    'a/sub/requirements.txt': '',
    'a/lib/z.py': '',
  }
  const paths = (found: NotebookScan) => found.projects[0]?.files.map(({ path }) => path).sort()
  deepEqual(shown(scan(files)), ['a configured: x.ipynb', 'a/sub configured: y.ipynb'])
  deepEqual(paths(scan(files)), ['lib/z.py', 'requirements.txt', 'x.ipynb'])
  deepEqual(paths(scan({ ...files, 'a/nb.yaml': 'ship: { nested: true }' })), [
    'lib/z.py',
    'nb.yaml',
    'requirements.txt',
    'sub/requirements.txt',
    'sub/y.ipynb',
    'x.ipynb',
  ])
})

test('one environment for many folders gives a preview of all their notebooks until it is confirmed', () => {
  const files = { 'requirements.txt': '', 'one/a.ipynb': NB, 'two/b.ipynb': NB }
  const [project, ...others] = scan(files).projects
  deepEqual([project?.folder, project?.foundBy, project?.serves, others], ['', 'shared', false, []])
  deepEqual(project?.notebooks, ['one/a.ipynb', 'two/b.ipynb'])
  const confirmed = scan({ ...files, 'nb.yaml': '' })
  deepEqual(shown(confirmed), ['. marked: one/a.ipynb two/b.ipynb'])
  equal(confirmed.projects[0]?.serves, true)
})

test('where nothing says what is needed the folders at the top are previews, and too many are refused', () => {
  const few = scan({ 'a/x.ipynb': NB, 'a/b/y.ipynb': NB, 'c/z.ipynb': NB })
  deepEqual(shown(few), ['a guessed: b/y.ipynb x.ipynb', 'c guessed: z.ipynb'])
  ok(few.projects.every(({ serves }) => !serves))
  deepEqual(
    few.notes.map(({ code }) => code),
    ['NO_ENV', 'NO_ENV'],
  )
  const many = scan(Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`f${i}/x.ipynb`, NB])))
  deepEqual(many.projects, [])
  equal(many.problems[0]?.file, 'notebooks.yaml')
})

test('folders that are no work of the author are not looked into', () => {
  const found = scan({
    'a/requirements.txt': '',
    'a/x.ipynb': NB,
    'a/.ipynb_checkpoints/x-checkpoint.ipynb': NB,
    'a/venv/lib/requirements.txt': '',
    'a/venv/lib/t.ipynb': NB,
    'node_modules/p/requirements.txt': '',
    'node_modules/p/t.ipynb': NB,
    '{{cookiecutter.name}}/requirements.txt': '',
    '{{cookiecutter.name}}/t.ipynb': NB,
    'pkg/setup.py': '',
    'pkg/tests/requirements.txt': '',
    'pkg/tests/t.ipynb': NB,
    '.hidden/requirements.txt': '',
    '.hidden/t.ipynb': NB,
    'archive/old/requirements.txt': '',
    'archive/old/t.ipynb': NB,
    'drafts/requirements.txt': '',
    'drafts/t.ipynb': NB,
    'off/nb.yaml': 'enabled: false',
    'off/sub/requirements.txt': '',
    'off/sub/t.ipynb': NB,
    'notebooks.yaml': 'exclude: ["archive/**"]',
    '.nbignore': 'drafts\n',
  })
  deepEqual(shown(found), ['a configured: x.ipynb'])
})

test('notebooks.yaml lists the projects, by name or by pattern, and nothing else is one', () => {
  const files = {
    'courses/a/x.ipynb': NB,
    'courses/b/y.ipynb': NB,
    'courses/data/z.csv': '',
    'reports/churn/sub/w.ipynb': NB,
    'other/requirements.txt': '',
    'other/v.ipynb': NB,
  }
  const list = 'projects: ["courses/*", "reports/churn"]\ndefaults: { run: { memory: 1g, cpus: 2 } }\n'
  const found = scan({ ...files, 'notebooks.yaml': list, 'reports/churn/nb.yaml': 'run: { memory: 2g }' })
  deepEqual(shown(found), [
    'courses/a listed: x.ipynb',
    'courses/b listed: y.ipynb',
    'reports/churn listed: sub/w.ipynb',
  ])
  deepEqual(found.projects[2]?.settings.run, { memory: '2g', cpus: 2 })
  equal(found.notes[0]?.code, 'NO_PROJECT')
  const missing = scan({ ...files, 'notebooks.yaml': 'version: 1\nprojects:\n  - courses/a\n  - nowhere\n' })
  deepEqual([missing.problems[0]?.file, missing.problems[0]?.line], ['notebooks.yaml', 4])
})

test('the time of idleness may be one for the server, and each of its times has a default of its own', () => {
  const idles = (defaults: string, own: string) =>
    scan({
      ...{ 'a/x.ipynb': NB, 'a/nb.yaml': own },
      'notebooks.yaml': `defaults: { mode: lab, run: { memory: 1g, cpus: 1, idle: ${defaults} } }\nprojects: [a]\n`,
    }).projects.map(({ settings }) => settings.run?.idle)
  deepEqual(idles('30m', ''), [{ server: '30m' }])
  deepEqual(idles('30m', 'run: { idle: { max: 24h } }'), [{ server: '30m', max: '24h' }])
  deepEqual(idles('{ kernel: 10m, server: 2h, max: 24h }', 'run: { idle: 30m }'), [
    { kernel: '10m', server: '30m', max: '24h' },
  ])
  const wrong = scan({ 'a/x.ipynb': NB, 'notebooks.yaml': 'defaults: { run: { idle: soon } }\n' })
  deepEqual(
    wrong.problems.map(({ path, line }) => [path, line]),
    [['defaults.run.idle', 1]],
  )
})

test('what is wrong in a settings file comes with file, line and what was expected, all at once', () => {
  const files = {
    'a/x.ipynb': NB,
    'a/nb.yaml': 'version: 1\nmode: lap\nrun:\n  memroy: 1g\n',
    'b/nb.yaml': 'slug: Not A Slug\n',
    'c/nb.yaml': '',
    'off/nb.yaml': 'enabled: false\nmode: lap\n',
    'off/below/nb.yaml': '',
  }
  const found = scan(files)
  deepEqual(found.problems, [])
  const problems = found.projects.flatMap(project => project.problems)
  deepEqual(
    problems.map(({ file, line }) => `${file}:${line}`),
    ['a/nb.yaml:2', 'a/nb.yaml:4', 'b/nb.yaml:1'],
  )
  match(problems[0]?.message ?? '', /did you mean "lab"/)
  match(problems[1]?.message ?? '', /memory/)
  ok(problems.every(({ expected }) => expected))
  deepEqual(
    found.projects.map(({ folder }) => folder),
    ['a', 'b', 'c'],
    'what is switched off stays so',
  )
  deepEqual(
    found.notes.map(({ code, file, line }) => [code, file, line]),
    [['SETTINGS_WRONG', 'off/nb.yaml', 2]],
  )
  const all = scan({ ...files, 'notebooks.yaml': 'excludes: []\n' })
  deepEqual([all.projects, all.problems.map(({ file }) => file)], [[], ['notebooks.yaml']])
})

test('of two projects that ask for the same slug the one that has it keeps it, and the other one is told', () => {
  const files = { 'a/nb.yaml': 'slug: x\n', 'b/nb.yaml': 'title: B\nslug: x\n' }
  const told = (given?: Record<string, string>) =>
    scan(files, given ? { given } : {}).projects.map(({ slug, doubled }) => [
      slug,
      doubled?.file,
      doubled?.line,
      doubled?.message,
    ])
  deepEqual(told(), [
    ['x', undefined, undefined, undefined],
    ['b', 'b/nb.yaml', 2, 'is "x", which a has too'],
  ])
  deepEqual(told({ b: 'x' }), [
    ['a', 'a/nb.yaml', 1, 'is "x", which b has too'],
    ['x', undefined, undefined, undefined],
  ])
})

test('a project whose nb.yaml cannot be read keeps the slug that it has', () => {
  const { projects } = scan({ 'a/nb.yaml': 'slug: x\n', 'b/nb.yaml': 'slug: [\n' }, { given: { b: 'x' } })
  deepEqual(
    projects.map(({ slug, problems, doubled }) => [slug, problems.length > 0, doubled !== undefined]),
    [
      ['a', false, true],
      ['x', true, false],
    ],
  )
})

test('the content hash knows names, modes and contents, and nothing of URL.md or of another folder', () => {
  const files = {
    'a/x.ipynb': NB,
    'a/requirements.txt': 'numpy\n',
    'b/x.ipynb': NB,
    'b/requirements.txt': '',
  }
  const hashes = (more: Files) => scan({ ...files, ...more }).projects.map(({ contentHash }) => contentHash)
  const [a, b] = hashes({})
  deepEqual(hashes({ 'a/URL.md': 'x', 'URL.md': 'y', 'a/sub/URL.md': 'z' }), [a, b])
  deepEqual(hashes({ 'a/.ipynb_checkpoints/x-checkpoint.ipynb': NB, 'a/lib/__pycache__/m.pyc': '' }), [a, b])
  const changed = hashes({ 'a/x.ipynb': `${NB} ` })
  ok(changed[0] !== a && changed[1] === b)
  ok(hashes({ 'a/new.py': '' })[0] !== a)
})

test('notebooks that are too large and submodules are named, not hidden', () => {
  const found = scan(
    {},
    {
      files: [
        { path: 'a/nb.yaml', mode: '100644', oid: '1' },
        { path: 'a/x.ipynb', mode: '100644', oid: '2', size: 200 * 1024 * 1024 },
        { path: 'a/lib', mode: '160000', oid: '3' },
      ],
    },
  )
  deepEqual(
    found.notes.map(({ code, file }) => `${code} ${file}`),
    ['NOTEBOOK_LARGE a/x.ipynb', 'SUBMODULE a/lib'],
  )
})

test('a repository of 200 folders is walked once: every text is asked for once', () => {
  const asked = new Map<string, number>()
  const files = Array.from({ length: 200 }, (_, i) =>
    ['x.ipynb', 'requirements.txt', 'nb.yaml'].map(name => ({
      path: `f${i}/${name}`,
      mode: '100644',
      oid: name,
    })),
  ).flat()
  const found = scan(
    {},
    {
      files,
      text: path => {
        asked.set(path, (asked.get(path) ?? 0) + 1)
        return ''
      },
    },
  )
  equal(found.projects.length, 200)
  equal(new Set(found.projects.map(({ slug }) => slug)).size, 200)
  ok([...asked.values()].every(count => count === 1))
})
