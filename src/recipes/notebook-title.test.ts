import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { entryOf, notebookTitle } from './notebook-title.ts'

const notebook = (...cells: readonly (readonly [string, unknown])[]) =>
  JSON.stringify({ cells: cells.map(([type, source]) => ({ cell_type: type, source })) })

for (const [text, title] of [
  [notebook(['markdown', ['Intro\n', '# Why they *leave*\n']]), 'Why they leave'],
  [notebook(['code', '# no heading'], ['markdown', '## [Linked](https://example.org) `x` ##']), 'Linked x'],
  [notebook(['markdown', '# <img src=x onerror=alert(1)>Plain']), 'Plain'],
  [notebook(['markdown', '### too small']), undefined],
  [notebook(['markdown', `# ${'a'.repeat(500)}`]), 'a'.repeat(120)],
  ['{"cells": 1}', undefined],
  ['no JSON', undefined],
] as const) {
  test(`the title of ${text.slice(0, 60)} is ${title?.slice(0, 30) ?? 'none'}`, () => {
    equal(notebookTitle(text), title)
  })
}

test('the notebook that is opened first is the named one, the index, one at the top, or the first', () => {
  equal(entryOf(['a.ipynb', 'index.ipynb'], 'b.ipynb'), 'b.ipynb')
  equal(entryOf(['a.ipynb', 'Index.ipynb'], undefined), 'Index.ipynb')
  equal(entryOf(['a/a.ipynb', 'b.ipynb'], undefined), 'b.ipynb')
  equal(entryOf(['a/b.ipynb'], undefined), 'a/b.ipynb')
  equal(entryOf([], undefined), undefined)
})
