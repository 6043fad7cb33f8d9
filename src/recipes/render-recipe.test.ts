import { deepEqual, equal, match, ok, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { renderRecipe } from './render-recipe.ts'
import { type Files, linesOf, recipeOf } from './test-recipes.ts'

const SHOWN: readonly { readonly level: 'buildkit' | 'classic'; readonly text: readonly string[] }[] = [
  {
    level: 'buildkit',
    text: [
      `FROM registry.example.org/nb/base@sha256:${'a'.repeat(64)} AS environment`,
      'USER 0',
      'RUN --mount=type=cache,id=nb-apt-cache,target=/var/cache/apt,sharing=locked \\',
      '    --mount=type=cache,id=nb-apt-lists,target=/var/lib/apt/lists,sharing=locked \\',
      '    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends bc jq',
      'USER 1000:1000',
      'RUN --mount=type=bind,source=deps/pip,target=/tmp/nb-deps \\',
      '    --mount=type=cache,id=nb-pip,target=/opt/pip-cache,uid=1000,gid=1000 \\',
      '    PIP_CACHE_DIR=/opt/pip-cache /opt/env/bin/pip install --no-input -r /tmp/nb-deps/requirements.txt',
      '',
      'FROM environment',
      'COPY --chown=1000:1000 src/ /srv/project/',
      'WORKDIR /srv/project',
      '',
    ],
  },
  {
    level: 'classic',
    text: [
      `FROM registry.example.org/nb/base@sha256:${'a'.repeat(64)} AS environment`,
      'USER 0',
      'RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends bc jq && rm -rf /var/lib/apt/lists/* /var/cache/apt/*',
      'USER 1000:1000',
      'COPY --chown=1000:1000 deps/pip/ /tmp/nb-deps/',
      'RUN PIP_NO_CACHE_DIR=1 /opt/env/bin/pip install --no-input -r /tmp/nb-deps/requirements.txt && rm -rf /tmp/nb-deps',
      '',
      'FROM environment',
      'COPY --chown=1000:1000 src/ /srv/project/',
      'WORKDIR /srv/project',
      '',
    ],
  },
]
for (const { level, text } of SHOWN) {
  test(`R6 a recipe for the ${level} builder is exactly this text`, () => {
    const recipe = recipeOf({ 'apt.txt': 'jq\nbc\n', 'requirements.txt': 'numpy\n', 'x.ipynb': '{}' })
    equal(renderRecipe(recipe, level), text.join('\n'))
  })
}

/** Texts that would end an instruction, a word, a comment or a here-document if they stood in a Dockerfile as they are. */
const HOSTILE = [
  "x'; touch /pwn; '",
  'x"; touch /pwn; "',
  '$(touch /pwn)',
  '`touch /pwn`',
  '${PATH}',
  '<<EOF',
  '# syntax=evil/frontend',
  'x # y',
  'x\\',
  '--from=evil',
  '\u2028RUN touch /pwn',
  'ção 🦆',
]

test('no name of a file and no text of a repository becomes an instruction', () => {
  const plain = linesOf(renderRecipe(recipeOf(project('plain')), 'classic'))
  for (const hostile of [...HOSTILE, 'x\nRUN touch /pwn', 'x\r\nUSER 0']) {
    for (const level of ['classic', 'buildkit'] as const) {
      const text = renderRecipe(recipeOf(project(hostile)), level)
      ok(!/pwn|evil|EOF|🦆/.test(text), text)
      deepEqual(
        linesOf(renderRecipe(recipeOf(project(hostile)), 'classic')).map(line => line.split(' ')[0]),
        plain.map(line => line.split(' ')[0]),
      )
    }
  }
})

/** A project in which a text stands wherever a repository can put one. */
function project(text: string): Files {
  return {
    [`${text}.ipynb`]: '{}',
    [`pkg/${text}.py`]: text,
    'pkg/setup.py': text,
    'requirements.txt': `./pkg\nnumpy\n# ${text.replaceAll(/[\r\n]/g, ' ')}\n`,
    'pyproject.toml': `[project]\nname = ${JSON.stringify(text)}\n[build-system]\n`,
    'apt.txt': `jq # ${text.replaceAll(/[\r\n]/g, ' ')}\n`,
    postBuild: `#!/bin/sh ${text}\n`,
    start: text,
  }
}

test('a value of a variable stays one value, whatever signs it has', () => {
  for (const hostile of HOSTILE) {
    const yml = JSON.stringify({ dependencies: ['numpy'], variables: { NAME: hostile } })
    const lines = renderRecipe(recipeOf({ 'environment.yml': yml }), 'buildkit').split('\n')
    const set = lines.filter(line => line.startsWith('ENV NAME='))
    equal(set.length, 1)
    match(set[0] ?? '', /^ENV NAME="(?:[^"\\$]|\\["\\$])*"$/)
    equal(set[0]?.slice(10, -1).replace(/\\(.)/g, '$1'), hostile)
  }
  const late = {
    dependencies: ['numpy'],
    variables: { 'A B': 'x', NAME: 'x\nRUN y', PATH: '/x', PIP_INDEX_URL: 'x' },
  }
  const recipe = recipeOf({ 'environment.yml': JSON.stringify(late) })
  equal(recipe.warnings.filter(({ code }) => code === 'VARIABLE_IGNORED').length, 4)
  ok(!/ENV (?:A|NAME|PIP|PATH="?\/x)/.test(renderRecipe(recipe, 'buildkit')))
})

test('the last guard refuses a word that could continue or end a line', () => {
  const recipe = recipeOf({ 'requirements.txt': 'numpy\n' })
  for (const word of ['x\\', 'x\ny', 'x\0', '']) {
    const broken = { ...recipe, apt: [word] }
    throws(() => renderRecipe(broken, 'buildkit'), /cannot hold/)
  }
})

test('what a build leaves for later ones is found by builds of its owner alone, and keys know nothing of it', () => {
  const recipe = recipeOf({ 'requirements.txt': 'numpy\n', 'apt.txt': 'jq\n' })
  const ids = (owner?: string) =>
    [...renderRecipe(recipe, 'buildkit', owner).matchAll(/type=cache,id=([^,]+)/g)].map(([, id]) => id)
  deepEqual(ids(), ['nb-apt-cache', 'nb-apt-lists', 'nb-pip'])
  deepEqual(ids('a1'), ['nb-apt-cache-a1', 'nb-apt-lists-a1', 'nb-pip-a1'])
})
