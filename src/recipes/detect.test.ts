import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { type Detected, detectProject } from './detect.ts'
import type { NotebookSettings } from './notebook-settings.ts'
import { folderOf, readCases } from './test-cases.ts'

function detected(files: Readonly<Record<string, string>>, settings: NotebookSettings = {}): Detected {
  const found = detectProject(folderOf(files), settings)
  ok(!('refused' in found), JSON.stringify(found))
  return found
}

function refusal(files: Readonly<Record<string, string>>, settings: NotebookSettings = {}): string {
  const found = detectProject(folderOf(files), settings)
  ok('refused' in found, 'nothing was refused')
  match(found.refused.hint, /\w+/)
  return found.refused.code
}

const codes = ({ warnings }: Detected) => warnings.map(({ code }) => code)

/** APT is refused when the recipe is planned: the pack is none of its business. */
const PLANNED = ['E:APT']

for (const { id, ours, files, facts } of readCases()) {
  test(`case ${id} is ${ours}: ${Object.keys(files).join(' ')}`, () => {
    if (ours.startsWith('E:') && !PLANNED.includes(ours)) {
      equal(refusal(files), ours.slice(2))
      return
    }
    const found = detected(files)
    equal(found.pack, ours.startsWith('E:') ? 'none' : ours)
    // NO_LOCK, UNPINNED_VCS and ENV_EMPTY are said by what reads those files.
    const said = [...facts.matchAll(/WARN\(([A-Z_]+)\)/g)].map(([, code]) => code ?? '')
    for (const code of said.filter(each => !['NO_LOCK', 'UNPINNED_VCS', 'ENV_EMPTY'].includes(each))) {
      ok(codes(found).includes(code), `${id} warns of ${code}: ${codes(found)}`)
    }
  })
}

const VERSIONS: readonly (readonly [string, (found: Detected) => unknown, unknown])[] = [
  ['D13', ({ pythons }) => pythons[0], '3.12'],
  ['D15', ({ pythons }) => pythons, ['3.11']],
  ['D16', ({ pythons }) => pythons, ['3.12']],
  ['D24', ({ pythons }) => pythons, ['3.12']],
  ['D27', ({ pythons }) => pythons, ['3.9']],
  ['D28', ({ pythons }) => pythons, ['3.11']],
  ['D29', ({ isPythonAsked }) => isPythonAsked, false],
  ['D32', ({ r }) => r, { version: '4.4.2', isAsked: false, date: '2025-07-01' }],
  ['D33', ({ r }) => r, { version: '4.3.3', isAsked: true, date: '2025-07-01' }],
  ['D34', ({ r }) => r, { version: '4.2.3', isAsked: true }],
  ['D37', ({ pythons }) => pythons, ['3.11']],
  ['D39', ({ julia }) => julia?.version, '1.10.5'],
  ['D40', ({ julia }) => julia?.version, '1.3.0'],
  ['D57', ({ language }) => language, 'r'],
]
for (const [id, part, expected] of VERSIONS) {
  test(`case ${id} gives the version ${JSON.stringify(expected)}`, () => {
    const found = readCases().find(each => each.id === id)
    deepEqual(part(detected(found?.files ?? {})), expected)
  })
}

test('the sources of a Python version are asked in their order', () => {
  const files = {
    'requirements.txt': '',
    'runtime.txt': 'python-3.11',
    '.python-version': '3.10.2\n',
    'pyproject.toml': '[project]\nname = "x"\nrequires-python = ">=3.10"\n',
  }
  deepEqual(detected(files, { env: { python: '3.13' } }).pythons, ['3.13'])
  deepEqual(detected(files).pythons, ['3.11'])
  const { 'runtime.txt': _runtime, ...second } = files
  deepEqual(detected(second).pythons, ['3.10'])
  const { '.python-version': _version, ...third } = second
  deepEqual(detected(third).pythons, ['3.12', '3.14', '3.13', '3.11', '3.10'])
  equal(refusal({ ...third, 'pyproject.toml': '[project]\nrequires-python = ">=4"\n' }), 'PY_NONE')
  equal(refusal({ ...third, 'pyproject.toml': '[project]\nrequires-python = "new"\n' }), 'PY_RANGE')
})

test('nb.yaml may choose the pack, and the strict rules', () => {
  const files = { 'requirements.txt': 'numpy\n', 'environment.yml': '' }
  equal(detected(files).pack, 'conda')
  equal(detected(files, { env: { pack: 'pip' } }).pack, 'pip')
  const r = { 'install.R': '1\n' }
  deepEqual([detected(r).pack, detected(r).strictPack], ['r', 'Python'])
  const strict = detected(r, { env: { compat: 'strict' } })
  deepEqual([strict.pack, strict.pythons], ['none', ['3.10']])
})

test('a Poetry project with an exported requirements.txt, or a [project], is installed from that', () => {
  const poetry = '[tool.poetry]\nname = "x"\n'
  equal(detected({ 'pyproject.toml': poetry, 'requirements.txt': '' }).pack, 'pip')
  equal(detected({ 'pyproject.toml': `[project]\nname = "x"\n${poetry}` }).pack, 'pip')
})

test('renv.lock is an R project of the version that it was made with', () => {
  const found = detected({ 'renv.lock': '{"R":{"Version":"4.3.1"},"Packages":{}}', 'environment.yml': '' })
  deepEqual([found.pack, found.r], ['r', { version: '4.3.1', isAsked: true }])
  deepEqual(codes(found), ['ENVIRONMENT_IGNORED'])
})

test('a file that cannot be read is refused with its line, and only when it is used', () => {
  const broken = '[project]\nname = \n'
  const found = detectProject(folderOf({ 'pyproject.toml': broken }), {})
  ok('refused' in found)
  deepEqual([found.refused.code, found.refused.file, found.refused.line], ['PYPROJECT', 'pyproject.toml', 2])
  equal(detected({ 'pyproject.toml': broken, Dockerfile: 'FROM x\n' }).pack, 'docker')
})

test('notebooks that are no JSON, or too large, do not stop the detection', () => {
  const files = { 'a.ipynb': '{"x', 'b.ipynb': `[${'1,'.repeat(6_000_000)}1]`, 'c.ipynb': 'null' }
  deepEqual([detected(files).pack, detected(files).language], ['none', 'python'])
})
