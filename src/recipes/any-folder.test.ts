import { equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CONFIG_FILES } from './packs.ts'
import { planRecipe } from './plan-recipe.ts'
import { recipeKeys } from './recipe-keys.ts'
import { renderRecipe } from './render-recipe.ts'
import { inputOf, linesOf } from './test-recipes.ts'

/** Pieces that mean something in one of the formats, to be joined at random. */
const PIECES = [
  ...[
    'numpy',
    '==1.2',
    '-e ',
    '-r ',
    '-c ',
    '.',
    './',
    '../',
    '/',
    'pkg',
    '[a]',
    ' @ ',
    'git+https://h.org/x',
    '--hash=',
  ],
  ...[
    '\n',
    '\r\n',
    ' ',
    '\\',
    '#',
    "'",
    '"',
    '$(x)',
    '`',
    ';',
    '&&',
    '<<EOF',
    '\0',
    '\u2028',
    'ã',
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
  ],
  ...[
    'dependencies:',
    '\n  - ',
    'pip:',
    'variables:',
    'A: ',
    '[project]\n',
    'dependencies=',
    '[packages]\n',
    'x=',
    '[deps]\n',
  ],
  ...[
    'python-3.11',
    'r-4.3',
    '-2025-07-01',
    'Imports: ',
    'install_requires=[',
    '{"default":{',
    '"version":',
    '}}',
    'null',
    '1',
  ],
]
const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map(pieces => pieces.join(''))
const names = fc.constantFrom(
  ...CONFIG_FILES,
  ...['binder/', '.binder/'].flatMap(folder => [...CONFIG_FILES].map(name => folder + name)),
  'pkg/setup.py',
  'x.ipynb',
  'URL.md',
)

test('whatever stands in the files of a folder, there is a recipe that is a Dockerfile, or a reason', () => {
  fc.assert(
    fc.property(fc.dictionary(names, text, { maxKeys: 5, noNullPrototype: true }), files => {
      const found = planRecipe(inputOf(files))
      if ('refused' in found) {
        ok(found.refused.every(({ code, message, hint }) => /^[A-Z_]+$/.test(code) && message && hint))
        return
      }
      recipeKeys(found)
      for (const level of found.pack === 'docker' ? [] : (['classic', 'buildkit'] as const)) {
        const lines = linesOf(renderRecipe(found, level))
        for (const line of lines) {
          match(line, /^(?:FROM|USER|RUN|COPY|WORKDIR|ENV) [^\0\r\n]+$/)
        }
        equal(lines.filter(line => line.startsWith('FROM ')).length, 2)
        equal(lines.filter(line => line === 'USER 0').length, found.apt.length > 0 ? 1 : 0)
      }
    }),
    { numRuns: 1_000 },
  )
})
