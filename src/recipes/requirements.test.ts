import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { planRecipe } from './plan-recipe.ts'
import { renderRecipe } from './render-recipe.ts'
import { inputOf, recipeOf, refusalsOf } from './test-recipes.ts'

const lines = (requirements: string, more: Record<string, string> = {}) =>
  recipeOf({ 'requirements.txt': requirements, ...more }).files.find(({ path }) => path.startsWith('pip/req'))
    ?.content

const FORBIDDEN: readonly (readonly [string, string])[] = [
  ['--index-url http://internal', 'SOURCE_UNPROTECTED'],
  ['-i http://internal/simple', 'SOURCE_UNPROTECTED'],
  ['--index-url=https://internal/simple', 'SOURCE_PRIVATE'],
  ['--extra-index-url https://10.0.0.5/simple', 'SOURCE_PRIVATE'],
  ['--extra-index-url https://[::1]/simple', 'SOURCE_PRIVATE'],
  ['--extra-index-url "https://169.254.169.254/"', 'SOURCE_PRIVATE'],
  ['--index-url https://pypi.corp.internal/simple', 'SOURCE_PRIVATE'],
  ['--index-url https://me:secret@pypi.example.org/simple', 'SOURCE_PASSWORD'],
  ['-e git+ssh://git@github.com/a/b.git#egg=b', 'SOURCE_SSH'],
  ['b @ git+ssh://git@github.com/a/b.git', 'SOURCE_SSH'],
  ['-e git+git@github.com:a/b.git', 'SOURCE_SSH'],
  ['git+http://github.com/a/b.git', 'SOURCE_UNPROTECTED'],
  ['git+file:///srv/git/b.git', 'SOURCE_HOST_FILES'],
  ['--find-links /', 'SOURCE_HOST_FILES'],
  ['-f file:///', 'SOURCE_HOST_FILES'],
  ['--find-links ~/wheels', 'SOURCE_HOST_FILES'],
  ['--find-links http://10.0.0.5/wheels', 'SOURCE_UNPROTECTED'],
  ['b @ file:///etc/b.whl', 'SOURCE_HOST_FILES'],
  ['/etc/b', 'SOURCE_HOST_FILES'],
  ['https://[fd00::1]/b.whl', 'SOURCE_PRIVATE'],
  ['b@https://localhost/b.whl', 'SOURCE_PRIVATE'],
  ['-r https://example.org/more.txt', 'REQ_REMOTE'],
  ['-r ../../../etc/passwd', 'REQ_ESCAPE'],
  ['-r /etc/passwd', 'REQ_ESCAPE'],
  ['-c nowhere.txt', 'REQ_MISSING'],
  ['./nowhere', 'REQ_MISSING'],
  ['../outside', 'REQ_ESCAPE'],
  ['--trusted-host internal', 'REQ_OPTION'],
]
for (const [line, code] of FORBIDDEN) {
  test(`N02 requirements.txt with "${line}" is a policy finding: ${code}`, () => {
    const found = planRecipe(inputOf({ 'requirements.txt': `numpy\n# c\n${line}\n` }))
    ok('refused' in found)
    deepEqual(
      found.refused.map(({ code, file, line }) => ({ code, file, line })),
      [{ code, file: 'requirements.txt', line: 3 }],
    )
    ok(!JSON.stringify(found).includes('secret'))
  })
}

test('N02 the same holds for what is included, and in the files of other tools', () => {
  const index = '--index-url http://internal\n'
  deepEqual(refusalsOf({ 'requirements.txt': '-r a/b.txt\n', 'a/b.txt': '-r c.txt\n', 'a/c.txt': index }), [
    'SOURCE_UNPROTECTED',
  ])
  const conda = 'channels: [http://internal/conda, file:///srv]\ndependencies: [{pip: [--find-links /]}]\n'
  deepEqual(refusalsOf({ 'environment.yml': conda }), [
    'SOURCE_UNPROTECTED',
    'SOURCE_HOST_FILES',
    'SOURCE_HOST_FILES',
  ])
  const pipfile = '[[source]]\nurl="https://internal/simple"\n[packages]\nb={git="ssh://git@example.org/b"}\n'
  deepEqual(refusalsOf({ Pipfile: pipfile }), ['SOURCE_PRIVATE', 'SOURCE_SSH'])
  const lock = '[[package]]\nname="b"\nsource={registry="http://internal/simple"}\n'
  deepEqual(refusalsOf({ 'uv.lock': lock, 'pyproject.toml': '[project]\n' }), ['SOURCE_UNPROTECTED'])
  deepEqual(refusalsOf({ 'pyproject.toml': '[project]\ndependencies=["b @ git+ssh://x/b"]\n' }), [
    'SOURCE_SSH',
  ])
})

test('N02 what the administrator allows is no finding, and nothing that only begins like it', () => {
  const allowedSources = ['https://pypi.internal']
  const plan = (address: string) =>
    planRecipe({ ...inputOf({ 'requirements.txt': `--index-url ${address}\nnumpy\n` }), allowedSources })
  ok(!('refused' in plan('https://pypi.internal/simple')))
  ok('refused' in plan('https://pypi.internal.local/simple'))
})

test('a text of a lock file or a project file brings no line of its own', () => {
  const hidden = 'numpy\n--index-url http://internal'
  deepEqual(refusalsOf({ 'pyproject.toml': `[project]\ndependencies=[${JSON.stringify(hidden)}]\n` }), [
    'REQ_LINE',
  ])
  const lock = { default: { 'numpy\n-i': { version: ' http://internal' } } }
  deepEqual(refusalsOf({ 'Pipfile.lock': JSON.stringify(lock) }), ['REQ_LINE'])
  deepEqual(refusalsOf({ 'environment.yml': `dependencies: [{pip: [${JSON.stringify(hidden)}]}]\n` }), [
    'REQ_LINE',
  ])
})

test('continued lines, hashes, markers and options stay as they are', () => {
  const written =
    'a==1 \\\n  --hash=sha256:1 \\\n  --hash=sha256:2\r\n--pre\nb>=2; python_version < "3.12" # c\n-e git+https://example.org/x.git#egg=x\n'
  match(
    lines(written) ?? '',
    /^a==1\s+--hash=sha256:1\s+--hash=sha256:2\n--pre\nb>=2; python_version < "3\.12"\n-e git\+https:\S+\n$/,
  )
})

test('includes that go in a circle end, and each file counts once', () => {
  equal(lines('-r a.txt\nx\n', { 'a.txt': '-r requirements.txt\n-ra.txt\ny\n' }), 'y\nx\n')
})

test('packages of the project are copied into the environment under names of our own', () => {
  const files = { 'wheels/b-1-py3-none-any.whl': 'x', '"x/setup.py': '' }
  deepEqual(refusalsOf({ ...files, 'requirements.txt': './my-pkg\n' }), ['REQ_MISSING'])
  const recipe = recipeOf({
    ...files,
    'requirements.txt': '-e ./pkg[a,b]\n./wheels/b-1-py3-none-any.whl\n--find-links wheels\n./"x\n',
    'pkg/setup.py': '',
    'pkg/src/m.py': '',
  })
  equal(
    recipe.files[0]?.content,
    '-e /opt/nb-local/0[a,b]\n/opt/nb-local/1/b-1-py3-none-any.whl\n--find-links /opt/nb-local/2\n/opt/nb-local/3\n',
  )
  deepEqual(
    recipe.folders.map(({ to, files: inside }) => [to, inside.map(({ path }) => path)]),
    [
      ['local/0', ['setup.py', 'src/m.py']],
      ['local/1', ['b-1-py3-none-any.whl']],
      ['local/2', ['b-1-py3-none-any.whl']],
      ['local/3', ['setup.py']],
    ],
  )
  const text = renderRecipe(recipe, 'classic')
  match(
    text,
    /COPY --chown=1000:1000 deps\/local\/ \/opt\/nb-local\/\nCOPY \S+ deps\/pip\/ \/tmp\/nb-deps\/\nRUN /,
  )
  ok(!/"x|wheels/.test(text))
})

test('a name that is both a package and a folder is the package', () => {
  equal(lines('pkg\n', { 'pkg/setup.py': '' }), 'pkg\n')
})

test('the extras of a project are installed with it, early', () => {
  const pyproject =
    "[project]\nname='x'\ndependencies=['a']\n[project.optional-dependencies]\nplots=['b']\nweb=['c']\n"
  const files = { 'requirements.txt': '-e .[plots]\n', 'pyproject.toml': pyproject }
  equal(recipeOf(files).files[0]?.content, 'a\nb\n')
  equal(recipeOf(files, { env: { extras: ['web'] } }).files[0]?.content, 'a\nb\nc\n')
})

test('a setup.py with a plain list of what it needs is read; another one is warned of', () => {
  const setup = "setup(name='x', install_requires=[\n  'a>=1', # c\n  \"b\",\n])\n"
  equal(recipeOf({ 'setup.py': setup }).files[0]?.content, 'a>=1\nb\n')
  const read = recipeOf({ 'setup.py': 'setup(install_requires=read())\n' })
  deepEqual(
    read.warnings.map(({ code }) => code),
    ['SETUP_DEPENDENCIES'],
  )
})

test('a file that is made to keep a program busy is read in one go', () => {
  const long = 50_000
  equal(lines(`a${' '.repeat(long)}b\n${'\\\n'.repeat(long)}c\n`)?.length, long + 5)
  const files = {
    'setup.py': `setup(install_requires=[${'"a"   '.repeat(long)}`,
    'pyproject.toml': '\n'.repeat(long),
    '.python-version': `${' '.repeat(long)}x${'\n'.repeat(long)}`,
    'environment.yml': '',
    'conda-lock.yml': '\n'.repeat(long),
    'environment.yaml': '\n'.repeat(long),
  }
  for (const path of Object.keys(files)) {
    planRecipe(inputOf({ [path]: files[path as keyof typeof files], 'requirements.txt': '' }))
  }
})
