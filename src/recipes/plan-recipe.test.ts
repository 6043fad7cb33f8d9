import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { detectProject } from './detect.ts'
import { planRecipe } from './plan-recipe.ts'
import { recipeKeys } from './recipe-keys.ts'
import { renderRecipe } from './render-recipe.ts'
import { type Case, folderOf, readCases, readStrictRows } from './test-cases.ts'
import { type Files, inputOf, linesOf, recipeOf, refusalsOf } from './test-recipes.ts'

const CASES = readCases()

/** The files of a case, and what its facts say in words that a program knows. */
for (const found of CASES) {
  test(`the recipe of case ${found.id} is as its facts say: ${found.facts || found.ours}`, () =>
    checkCase(found))
}

function checkCase({ id, files, ours, facts }: Case): void {
  if (ours.startsWith('E:')) {
    deepEqual(refusalsOf(files), [ours.slice(2)])
    return
  }
  const recipe = recipeOf(files)
  equal(recipe.pack, ours)
  if (ours === 'docker') {
    return
  }
  const lines = linesOf(renderRecipe(recipe, 'buildkit'))
  const content = lines.findIndex(line => line.includes(' src/ '))
  ok(content > 0)
  const inputs = /INPUTS=\[([^\]]*)\]/.exec(facts)?.[1]
  if (inputs !== undefined) {
    deepEqual(recipe.inputs.join(','), inputs)
  }
  if (facts.includes('DEP_PRE')) {
    const early = lines.slice(0, content).filter(line => /deps\//.test(line))
    ok(early.length > 0, `${id} installs something early`)
  }
  const late = lines.slice(content).filter(line => line.startsWith('RUN'))
  if (/(?<!no )LOCAL_POST/.test(facts) && recipe.pack !== 'r') {
    match(late.join('\n'), /pip install --no-input --no-deps (?:-e )?\.$/m)
  }
  if (facts.includes('no LOCAL_POST') || facts.includes('no RUN')) {
    deepEqual(late, [])
  }
  if (facts.includes('APT_FIRST')) {
    match(lines.find(line => line.startsWith('RUN')) ?? '', /apt-get install/)
  }
  for (const [, code = ''] of facts.matchAll(/WARN\(([A-Z_]+)\)/g)) {
    ok(
      recipe.warnings.some(warning => warning.code === code),
      `${id} warns of ${code}`,
    )
  }
  checkAlways(files, id)
}

/** What holds for every recipe. */
function checkAlways(files: Files, id: string): void {
  const recipe = recipeOf(files)
  const backwards = Object.fromEntries(Object.entries(files).reverse())
  for (const level of ['buildkit', 'classic'] as const) {
    const text = renderRecipe(recipe, level)
    equal(renderRecipe(recipeOf(backwards), level), text, `${id} is stable`)
    const lines = linesOf(text)
    equal(
      lines.findLast(line => line.startsWith('USER ')),
      'USER 1000:1000',
    )
    match(lines[0] ?? '', /^FROM \S+@sha256:[0-9a-f]{64} AS environment$/)
    ok(!lines.some(line => /^(?:ENTRYPOINT|CMD|HEALTHCHECK|EXPOSE|LABEL|ADD|ARG)\b/.test(line)))
    ok(!/latest|# syntax|<<|--link|\/tmp\/fl|https?:/.test(text), text)
    ok(level === 'buildkit' || !text.includes('--mount'), 'the classic builder knows no mounts')
  }
  const names = recipe.content.files.map(({ path }) => path)
  ok(!names.some(path => /URL\.md$|\.ipynb_checkpoints|^\.git\//.test(path)))
  const keys = recipeKeys(recipe)
  const edited = recipeKeys(
    recipeOf({
      ...files,
      'nb.ipynb': '{"metadata":{"kernelspec":{"language":"python"}},"cells":[1]}',
      'new.ipynb': '{}',
    }),
  )
  if (id !== 'D57') {
    equal(edited.environment, keys.environment, `${id}: a notebook is no part of the environment`)
  }
  ok(edited.content !== keys.content)
  deepEqual(
    recipeKeys(recipeOf({ ...files, 'URL.md': 'elsewhere' })),
    recipeKeys(recipeOf({ ...files, 'URL.md': '' })),
  )
}

const filesOf = (id: string) => CASES.find(each => each.id === id)?.files ?? {}
const text = (id: string) => renderRecipe(recipeOf(filesOf(id)), 'buildkit')
const dependency = (files: Files, path: string) =>
  recipeOf(files).files.find(each => each.path === path)?.content

test('case D01 needs no environment of its own: only the files are copied', () => {
  const keys = recipeKeys(recipeOf(filesOf('D01')))
  deepEqual([keys.isBaseEnough, keys.isAppendable], [true, true])
  deepEqual(linesOf(text('D01')), [
    `FROM registry.example.org/nb/base@sha256:${'a'.repeat(64)} AS environment`,
    'USER 1000:1000',
    'FROM environment',
    'COPY --chown=1000:1000 src/ /srv/project/',
    'WORKDIR /srv/project',
  ])
})

test('case D04 has the environment of case D02: comments and spaces say nothing', () => {
  equal(recipeKeys(recipeOf(filesOf('D04'))).environment, recipeKeys(recipeOf(filesOf('D02'))).environment)
})

test('case D13 installs what uv.lock says without the project', () => {
  match(text('D13'), /uv sync --locked --no-dev --inexact --no-install-project/)
})

test('cases D17, D21 and D22 keep what environment.yml asks for, and add kernels', () => {
  const yml = (id: string) => dependency(filesOf(id), 'conda/environment.yml') ?? ''
  match(yml('D17'), /- numpy\n {2}- python=3\.12\n {2}- ipykernel\n$/)
  ok(!text('D17').includes('requirements'))
  match(yml('D21'), /- python>=3\.9\n/)
  ok(!yml('D21').includes('python=3.12'))
  match(yml('D22'), /- r-base=4\.1\n {2}- r-digest\n[\s\S]*- r-irkernel\n/)
})

test('case D18 installs the packages of pip early, and the project late', () => {
  equal(dependency(filesOf('D18'), 'pip/requirements.txt'), 'numpy\n')
  match(text('D18'), /\/opt\/env-conda\/bin\/pip install --no-input --no-deps -e \.\n/)
})

test('cases D23 and D24 install what is locked, or asked for, without what is for development', () => {
  equal(dependency(filesOf('D23'), 'pip/requirements.txt'), 'there\n')
  equal(dependency(filesOf('D24'), 'pip/requirements.txt'), 'numpy==1.26\n')
})

test('cases D32 and D36 take R packages of one day, early', () => {
  match(dependency(filesOf('D32'), 'r-site/Rprofile.site') ?? '', /2025-07-01/)
  match(text('D32'), /nb-rscript \/tmp\/nb-deps\/install\.R/)
  match(dependency(filesOf('D36'), 'r-site/Rprofile.site') ?? '', /2026-01-31/)
  match(text('D36'), /R CMD INSTALL/)
})

test('cases D38 to D41 install Julia packages early, from a copy without the name of the project', () => {
  for (const id of ['D38', 'D39', 'D41']) {
    match(text(id), /JULIA_CPU_TARGET="generic;[\s\S]*Pkg\.instantiate\(\)[\s\S]*FROM environment/)
  }
  equal(dependency(filesOf('D39'), 'julia/Project.toml'), '')
  equal(dependency(filesOf('D38'), 'julia/Project.toml'), '[compat]\njulia = "1.9"\n')
  match(text('D39'), /ENV JULIA_PROJECT="\/srv\/project"/)
  match(text('D38'), /ENV JULIA_PROJECT="\/opt\/julia-env"/)
  match(text('D41'), /pip install [\s\S]*FROM environment/)
})

test('cases D45 and D49 run postBuild as the user when the files are there', () => {
  match(text('D45'), /COPY --chown=1000:1000 src\/ [\s\S]*RUN cd \/srv\/project && \.\/binder\/postBuild\n/)
  match(text('D49'), /WORKDIR \/srv\/project\nRUN cd \/srv\/project && \.\/postBuild\n$/)
  const shipped = recipeOf(filesOf('D49')).content.files.find(({ path }) => path === 'postBuild')
  equal(shipped?.mode, '100755')
})

test('cases D50, D51 and D53 set the start hook and sort the Debian packages', () => {
  match(text('D50'), /ENV NB_START_HOOK="\/srv\/project\/start"\n$/)
  deepEqual(recipeOf(filesOf('D51')).apt, ['bc', 'jq'])
  deepEqual(recipeOf(filesOf('D53')).apt, ['jq=1.6-2.1'])
})

test('case D58 ships neither what .dockerignore leaves out nor what the machine writes', () => {
  deepEqual(
    recipeOf(filesOf('D58')).content.files.map(({ path }) => path),
    ['.dockerignore', 'nb.ipynb', 'requirements.txt'],
  )
})

test('a postBuild whose inputs are named runs in the environment, and the content needs no build', () => {
  const files = { postBuild: '#!/bin/sh\n', 'models.lock': '1\n', 'nb.ipynb': '{}' }
  const recipe = recipeOf(files, { build: { postBuild: { inputs: ['models.lock'] } } })
  const keys = recipeKeys(recipe)
  deepEqual(
    [keys.isAppendable, keys.isBaseEnough, recipe.inputs],
    [true, false, ['models.lock', 'postBuild']],
  )
  const edit = (more: Files) =>
    recipeKeys(recipeOf({ ...files, ...more }, { build: { postBuild: { inputs: ['models.lock'] } } }))
      .environment
  equal(edit({ 'nb.ipynb': '[]' }), keys.environment)
  ok(edit({ 'models.lock': '2\n' }) !== keys.environment)
})

test('an input of postBuild that is not there is a finding', () => {
  const settings = { build: { postBuild: { inputs: ['nowhere'] } } }
  deepEqual(refusalsOf({ postBuild: '' }, settings), ['POST_BUILD_INPUT'])
})

test('files outside the project are used where nb.yaml includes them, and nowhere else', () => {
  const files = { 'requirements.txt': '-r ../../shared/base.txt\n', '../../shared/base.txt': 'numpy\n' }
  deepEqual(recipeOf(files).inputs, ['../../shared/base.txt', 'requirements.txt'])
  deepEqual(
    recipeOf(files).content.files.map(({ path }) => path),
    ['requirements.txt'],
  )
  deepEqual(refusalsOf({ 'requirements.txt': '-r ../../shared/base.txt\n' }), ['REQ_ESCAPE'])
})

test('a base image without a digest, or without what is asked for, makes no recipe', () => {
  const input = inputOf({ 'requirements.txt': '', 'runtime.txt': 'python-3.11' })
  const code = (more: Partial<typeof input>) => {
    const found = planRecipe({ ...input, ...more })
    return 'refused' in found ? found.refused[0]?.code : undefined
  }
  const [base] = input.bases
  ok(base)
  equal(code({}), undefined)
  equal(code({ bases: [{ ...base, reference: 'nb/base:latest' }] }), 'BASE_NOT_PINNED')
  equal(code({ bases: [{ ...base, pythons: ['3.12'] }] }), 'PY_UNAVAILABLE')
  equal(code({ settings: { env: { base: 'other' } } }), 'BASE_UNKNOWN')
  equal(code({ settings: { env: { pack: 'conda' } }, bases: [{ ...base, tools: [] }] }), 'BASE_LACKS')
})

test('a version that nobody asked for is the one that the base image has', () => {
  const [base] = inputOf({}).bases
  ok(base)
  const found = planRecipe({
    ...inputOf({ 'requirements.txt': '' }),
    bases: [{ ...base, pythons: ['3.11'] }],
  })
  deepEqual('refused' in found ? found : found.versions, { python: '3.11' })
})

test('every folder that repo2docker judged has a recipe or a refusal with a way out, the same each time', () => {
  for (const { id, files } of readStrictRows()) {
    const found = planRecipe(inputOf(files))
    equal(JSON.stringify(planRecipe(inputOf(files))), JSON.stringify(found), id)
    if ('refused' in found) {
      ok(found.refused.length > 0 && found.refused.every(({ hint, message }) => hint && message), id)
    } else if (found.pack !== 'docker') {
      match(renderRecipe(found, 'classic'), /^FROM [\s\S]+\nFROM environment\nCOPY /)
    }
  }
})

test('with the strict rules the pack is the one of repo2docker for every folder that it judged', () => {
  const ours = {
    Python: 'pip',
    Conda: 'conda',
    Pipfile: 'pipfile',
    R: 'r',
    JuliaProjectToml: 'julia',
    Docker: 'docker',
  }
  for (const { id, files, expect } of readStrictRows()) {
    const found = detectProject(folderOf(files), { env: { compat: 'strict' } })
    if (!('refused' in found)) {
      const theirs = ours[expect.pack as keyof typeof ours]
      equal(found.pack, expect.default ? 'none' : theirs, id)
      equal(found.pack === 'docker' ? undefined : found.pythons[0], expect.python, id)
    }
  }
})
