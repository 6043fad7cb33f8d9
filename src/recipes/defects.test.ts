import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { planRecipe } from './plan-recipe.ts'
import { recipeKeys } from './recipe-keys.ts'
import { renderRecipe } from './render-recipe.ts'
import { type Files, inputOf, linesOf, recipeOf, refusalsOf } from './test-recipes.ts'

/** What repo2docker gets wrong, one test each; the number is the one of the study. */
const text = (files: Files) => renderRecipe(recipeOf(files), 'buildkit')
const environment = (files: Files) => recipeKeys(recipeOf(files)).environment
const isEarly = (files: Files, sign: RegExp) => {
  const [early = '', late = ''] = text(files).split('FROM environment')
  return sign.test(early) && !sign.test(late)
}
const PYPROJECT =
  "[project]\nname='x'\nversion='1'\ndependencies=['numpy']\n[build-system]\nrequires=['hatchling']\n"

test('defect 1: an edit of requirements.txt leaves the Debian packages as they are', () => {
  const lines = (requirements: string) =>
    linesOf(text({ 'apt.txt': 'jq\n', 'requirements.txt': requirements }))
  const apt = lines('numpy\n').findIndex(line => line.includes('apt-get'))
  deepEqual(lines('numpy\n').slice(0, apt + 1), lines('pandas\n').slice(0, apt + 1))
  ok(
    !lines('numpy\n')
      .slice(0, apt + 1)
      .some(line => line.includes('deps/')),
  )
})

test('defect 2: requirements that include others are installed before the notebooks are there', () => {
  const files = {
    'requirements.txt': '-r other.txt\n-c limits.txt\n',
    'other.txt': 'numpy\n',
    'limits.txt': 'numpy<2\n',
  }
  ok(isEarly(files, /pip install --no-input -r \S+ -c /))
  deepEqual(recipeOf(files).files, [
    { path: 'pip/constraints.txt', content: 'numpy<2\n' },
    { path: 'pip/requirements.txt', content: 'numpy\n' },
  ])
  ok(environment(files) !== environment({ ...files, 'other.txt': 'pandas\n' }))
})

test('defect 3: what a package needs is installed early, the package itself late and alone', () => {
  const files = { 'pyproject.toml': PYPROJECT, 'requirements.txt': 'pandas\n', 'x/__init__.py': '' }
  equal(recipeOf(files).files[0]?.content, 'pandas\nnumpy\n')
  match(text(files), /FROM environment[\s\S]*pip install --no-input --no-deps \.\n/)
  equal(environment(files), environment({ ...files, 'x/__init__.py': 'a = 1\n' }))
  equal(environment(files), environment({ ...files, 'pyproject.toml': PYPROJECT.replace("'1'", "'2'") }))
})

test('defect 4: a Pipfile is installed early, from its lock, without what is for development', () => {
  const lock = { default: { numpy: { version: '==1.26' } }, develop: { pytest: { version: '==8.0' } } }
  const files = { Pipfile: "[packages]\nnumpy='*'\n", 'Pipfile.lock': JSON.stringify(lock) }
  ok(isEarly(files, /pip install/))
  equal(recipeOf(files).files[0]?.content, 'numpy==1.26\n')
})

test('defect 5: Julia packages are compiled early, for several kinds of processors', () => {
  const files = { 'Project.toml': "name='X'\n[deps]\n", 'Manifest.toml': "julia_version='1.10.5'\n" }
  ok(isEarly(files, /Pkg\.instantiate/))
  match(text(files), /JULIA_CPU_TARGET="generic;/)
  ok(!text(files).includes('IJulia'))
})

test('defect 6: a failing install.R fails the build', () => {
  const run = linesOf(text({ 'install.R': 'stop()\n' })).filter(line => line.includes('install.R'))
  equal(run.length, 1)
  match(run[0] ?? '', /nb-rscript \/tmp\/nb-deps\/install\.R$/)
  ok(!/\|\||;|\btrue\b/.test(run[0] ?? ''))
  // In the classic form the folder is removed only when the script was well.
  const classic = renderRecipe(recipeOf({ 'install.R': 'stop()\n' }), 'classic')
  match(classic, /RUN nb-rscript \S+ && rm -rf \/tmp\/nb-deps\n/)
})

test('defect 7: a DESCRIPTION gives the same recipe every day', () => {
  const files = { DESCRIPTION: 'Package: x\nImports: digest (>= 0.6), R6\n' }
  const on = (date: string) => JSON.stringify(planRecipe({ ...inputOf(files), date }))
  equal(on('2026-01-31'), on('2026-01-31'))
  match(on('2026-01-31'), /cran\/2026-01-31/)
  ok(!on('2026-01-31').includes('today'))
})

test('defect 8: install.R alone, or an R version without a day, is an R project', () => {
  equal(recipeOf({ 'install.R': '1\n' }).pack, 'r')
  const { pack, versions } = recipeOf({ 'runtime.txt': 'r-4.2' })
  deepEqual([pack, versions.r], ['r', '4.2.3'])
})

test('defect 9: a Python in runtime.txt is no version of R', () => {
  const { pack, versions } = recipeOf({ 'runtime.txt': 'python-3.11', DESCRIPTION: 'Package: x\n' })
  deepEqual([pack, versions.python, versions.r], ['none', '3.11', undefined])
})

test('defect 10: a line of apt.txt is a name of a package to its end', () => {
  const lines = [
    'foo; touch /pwn',
    'jq && id',
    '$(id)',
    '`id`',
    'jq|id',
    'jq>x',
    '-o',
    'jq-',
    "jq'",
    'Jq',
    'jq=1;id',
  ]
  for (const line of lines) {
    deepEqual(refusalsOf({ 'apt.txt': `${line}\n` }), ['APT'], line)
  }
  deepEqual(recipeOf({ 'apt.txt': 'libc6:amd64=2.36-9+deb12u4/stable g++ jq\n' }).apt, [
    'g++',
    'jq',
    'libc6:amd64=2.36-9+deb12u4/stable',
  ])
})

test('defect 11: what Git keeps is never shipped', () => {
  const files = { 'x.ipynb': '{}', '.git/HEAD': 'ref', '.git/objects/a': 'x' }
  deepEqual(
    recipeOf(files).content.files.map(({ path }) => path),
    ['x.ipynb'],
  )
})

test('defect 12: nothing in an image names a commit, so the same files are the same image', () => {
  ok(!/LABEL|\bref\b|commit/i.test(text({ postBuild: '#!/bin/sh\n', 'requirements.txt': '' })))
})

test('defect 13: no path of the host that plans is in the text', () => {
  const all = text({ 'requirements.txt': 'numpy\n', 'apt.txt': 'jq\n', start: '' })
  ok(!all.includes(process.cwd()) && !all.includes('-2f'))
})

test('defect 14: a folder binder without configuration hides nothing, and a warning says so', () => {
  const { pack, warnings } = recipeOf({ 'binder/README': '', 'requirements.txt': 'numpy\n' })
  deepEqual([pack, warnings.map(({ code }) => code)], ['pip', ['BINDER_EMPTY']])
})

test("defect 15: packages are installed into the project's own environment, never into the server's", () => {
  const all = [
    { 'requirements.txt': 'numpy\n' },
    { 'environment.yml': 'dependencies: [numpy, {pip: [x]}]\n' },
    { 'uv.lock': '', 'pyproject.toml': PYPROJECT },
  ].map(text)
  for (const each of all) {
    ok(!each.includes('/opt/jupyter'))
    match(each, /\/opt\/env\b|\/opt\/env-conda\b/)
  }
})

test('defect 16: a recipe has no log file in the project and no entry point of its own', () => {
  ok(!/ENTRYPOINT|CMD|\.log\b|jupyter-server-log/.test(text({ start: '#!/bin/sh\nexec "$@"\n' })))
})

test('defect 17: planning keeps nothing from one project to the next', () => {
  const first = { 'requirements.txt': '-r a.txt\n', 'a.txt': 'numpy\n' }
  const second = { 'requirements.txt': '-r a.txt\n', 'a.txt': 'pandas\n' }
  const alone = JSON.stringify(recipeOf(first))
  recipeOf(second)
  recipeOf({ 'environment.yml': '' })
  equal(JSON.stringify(recipeOf(first)), alone)
})
