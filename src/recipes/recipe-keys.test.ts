import { deepEqual, equal, notEqual, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { planRecipe } from './plan-recipe.ts'
import { recipeKeys } from './recipe-keys.ts'
import { type Files, inputOf, recipeOf } from './test-recipes.ts'

const keysOf = (files: Files) => recipeKeys(recipeOf(files))

/** For each kind of project: a file of its environment that is edited. */
const KINDS: readonly { readonly files: Files; readonly edited: Files }[] = [
  { files: { 'requirements.txt': 'numpy\n' }, edited: { 'requirements.txt': 'pandas\n' } },
  {
    files: { 'requirements.txt': './pkg\n', 'pkg/setup.py': '1' },
    edited: { 'requirements.txt': './pkg\n', 'pkg/setup.py': '2' },
  },
  { files: { 'environment.yml': 'dependencies: [a]' }, edited: { 'environment.yml': 'dependencies: [b]' } },
  {
    files: { 'uv.lock': '', 'pyproject.toml': '[project]\n' },
    edited: { 'uv.lock': '# 2\n', 'pyproject.toml': '[project]\n' },
  },
  { files: { Pipfile: "[packages]\na='*'\n" }, edited: { Pipfile: "[packages]\nb='*'\n" } },
  { files: { 'install.R': '1\n' }, edited: { 'install.R': '2\n' } },
  { files: { 'renv.lock': '{}' }, edited: { 'renv.lock': '{"a":1}' } },
  { files: { 'Project.toml': '[deps]\n' }, edited: { 'Project.toml': '[deps]\na="1"\n' } },
  { files: { 'apt.txt': 'jq\n' }, edited: { 'apt.txt': 'bc\n' } },
]
for (const { files, edited } of KINDS) {
  const name = Object.keys(files).join(' and ')
  test(`an edit of a notebook beside ${name} changes the content alone, one of them the environment too`, () => {
    const before = keysOf({ ...files, 'x.ipynb': '{}' })
    const notebook = keysOf({ ...files, 'x.ipynb': '[]' })
    const dependency = keysOf({ ...edited, 'x.ipynb': '{}' })
    deepEqual(
      [notebook.base, notebook.environment, notebook.content === before.content],
      [before.base, before.environment, false],
    )
    equal(dependency.base, before.base)
    notEqual(dependency.environment, before.environment)
    notEqual(dependency.content, before.content)
  })
}

test('two projects with the same needs share an environment, and no content', () => {
  const one = keysOf({ 'requirements.txt': '# one\nnumpy\n', 'a.ipynb': '1' })
  const two = keysOf({ 'requirements.txt': '-r x.txt\n', 'x.txt': 'numpy # two\n', 'b.ipynb': '2' })
  equal(one.environment, two.environment)
  notEqual(one.content, two.content)
})

test('URL.md is in no key', () => {
  const files = { 'requirements.txt': 'numpy\n', 'x.ipynb': '{}' }
  deepEqual(keysOf({ ...files, 'URL.md': '1', 'sub/URL.md': '2' }), keysOf(files))
})

test('the order of the files, the day and what no step reads are in no key', () => {
  const files = { 'requirements.txt': 'numpy\n', 'x.ipynb': '{}', 'y.ipynb': '{}' }
  const input = inputOf(files)
  const backwards = planRecipe({ ...input, files: [...input.files].reverse(), date: '2020-01-01' })
  ok(!('refused' in backwards))
  deepEqual(recipeKeys(backwards), keysOf(files))
})

test('another base image, or a mode of a file, is another image', () => {
  const input = inputOf({ 'x.ipynb': '{}' })
  const [base] = input.bases
  ok(base)
  const keys = (more: Partial<typeof input>) => {
    const recipe = planRecipe({ ...input, ...more })
    ok(!('refused' in recipe))
    return recipeKeys(recipe)
  }
  const before = keys({})
  const other = keys({ bases: [{ ...base, reference: `x@sha256:${'d'.repeat(64)}` }] })
  notEqual(other.base, before.base)
  notEqual(other.environment, before.environment)
  notEqual(other.content, before.content)
  const executable = keys({ files: input.files.map(file => ({ ...file, mode: '100755' })) })
  equal(executable.environment, before.environment)
  notEqual(executable.content, before.content)
})

test('what is executed when the files are there needs a build; a start hook does not', () => {
  const isAppendable = (files: Files) => keysOf({ ...files, 'x.ipynb': '{}' }).isAppendable
  deepEqual(
    [
      isAppendable({ 'requirements.txt': 'numpy\n' }),
      isAppendable({ start: '' }),
      isAppendable({ postBuild: '' }),
      isAppendable({ 'requirements.txt': '-e .\n', 'setup.py': '' }),
    ],
    [true, true, false, false],
  )
})

test("a project's own Dockerfile is built from everything that is shipped", () => {
  const files = { Dockerfile: 'FROM x\n', 'x.ipynb': '{}' }
  const before = keysOf(files)
  deepEqual([before.base, before.isAppendable, before.isBaseEnough], ['', false, false])
  notEqual(keysOf({ ...files, 'x.ipynb': '[]' }).environment, before.environment)
})
