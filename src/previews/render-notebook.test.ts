import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPicture } from './picture.ts'
import { renderNotebook } from './render-notebook.ts'

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

test('R10 a notebook of format 4 becomes a page: text, coloured code, outputs, pictures', () => {
  const { html, title, picture } = rendered([
    { cell_type: 'markdown', source: ['# Churn *analysis*\n', '\n', 'See [data](https://example.org/a).'] },
    {
      cell_type: 'code',
      source: 'def f(x):\n  return 1',
      outputs: [
        { output_type: 'stream', name: 'stdout', text: ['10%\r', '100%\n', '\u001b[31mred\u001b[0m'] },
        { output_type: 'error', evalue: 'no', traceback: ['Traceback', 'ValueError: <no>'] },
        { output_type: 'display_data', data: { 'image/png': `${PNG}\n`, 'text/plain': '<Figure>' } },
        {
          output_type: 'execute_result',
          data: { 'text/html': '<table class="dataframe x"><tr><td>1</td></tr></table>' },
        },
        { output_type: 'display_data', data: { 'image/svg+xml': ['<svg>', '</svg>'] } },
      ],
    },
  ])
  assert.equal(title, 'Churn analysis')
  assert.deepEqual(picture, { type: 'image/png', base64: PNG })
  assert.match(html, /<h1>Churn <em>analysis<\/em><\/h1>/)
  assert.match(
    html,
    /<a href="https:\/\/example\.org\/a" rel="noopener noreferrer nofollow" target="_blank">data<\/a>/,
  )
  assert.match(html, /<span class="hljs-keyword">def<\/span>/)
  assert.match(html, /<pre class="output">100%\nred<\/pre>/)
  assert.match(html, /<pre class="error">Traceback\nValueError: &lt;no&gt;<\/pre>/)
  assert.ok(html.includes(`<img alt="output" src="data:image/png;base64,${PNG}">`))
  assert.match(html, /<table class="dataframe">/)
  assert.ok(html.includes(`src="data:image/svg+xml;base64,${btoa('<svg></svg>')}"`))
})

test('R10 a notebook of format 3 is read as well', () => {
  const { html, title } = renderNotebook(
    JSON.stringify({
      nbformat: 3,
      worksheets: [
        {
          cells: [
            { cell_type: 'heading', level: 2, source: 'Old one' },
            {
              cell_type: 'code',
              input: 'print 1',
              outputs: [
                { output_type: 'pyout', text: ['1'] },
                { output_type: 'display_data', png: PNG },
              ],
            },
          ],
        },
      ],
    }),
  )
  assert.equal(title, 'Old one')
  assert.match(html, /<pre class="output">1<\/pre>/)
  assert.match(html, /data:image\/png/)
})

test('pictures of a cell are found by their names, those of the repository are told of', () => {
  const attachments = { 'a b.png': { 'image/png': PNG } }
  const { html } = rendered([
    { cell_type: 'markdown', source: '![one](attachment:a%20b.png) ![two](figures/x.png)', attachments },
  ])
  assert.ok(html.includes(`<img src="data:image/png;base64,${PNG}" alt="one" />`))
  assert.match(html, /<span>\[two\]<\/span>/)
})

test('a link to another notebook of the project stays, one that leads out of it does not', () => {
  const { html } = rendered([
    { cell_type: 'markdown', source: '[a](more/b.ipynb) [c](../b.ipynb) [d](data.csv)' },
  ])
  assert.match(html, /<a href="more\/b.ipynb">a<\/a> <a>c<\/a> <a>d<\/a>/)
})

test('what is too much is cut, and the page says so', () => {
  const many = Array.from({ length: 60 }, () => ({ output_type: 'stream', text: 'x' }))
  const { html } = rendered([
    { cell_type: 'code', source: '', outputs: many },
    { cell_type: 'code', source: '', outputs: [{ output_type: 'stream', text: 'y'.repeat(200_010) }] },
    { cell_type: 'code', source: '', outputs: [{ data: { 'image/png': PNG + 'A'.repeat(2_700_000) } }] },
  ])
  assert.match(html, /10 more outputs are left out/)
  assert.match(html, /10 characters are left out/)
  assert.match(html, /a picture is left out/)
  const cells = Array.from({ length: 60 }, () => ({ cell_type: 'raw', source: 'z'.repeat(200_000) }))
  const large = rendered(cells).html
  assert.ok(large.length < 8_100_000)
  assert.match(large, /cells are left out: the notebook is too large/)
})

test('a program or a widget is not shown, and what it says instead is', () => {
  const widget = 'application/vnd.jupyter.widget-view+json'
  const { html } = rendered([
    {
      cell_type: 'code',
      source: '',
      outputs: [
        {
          output_type: 'display_data',
          data: { 'application/javascript': 'alert(1)', 'text/plain': 'a plot' },
        },
        { output_type: 'display_data', data: { [widget]: { model_id: 'x' } } },
      ],
    },
  ])
  assert.doesNotMatch(html, /alert/)
  assert.match(html, /a plot/)
  assert.match(html, /an output of type application\/vnd\.jupyter\.widget-view\+json needs the live notebook/)
})

for (const [what, text, says] of [
  ['a conflict', '{\n  "cells": [\n<<<<<<< HEAD\n', 'line 3, column 1'],
  ['half a file', '{"cells": [', 'it is no JSON'],
  [
    'a pointer of Git LFS',
    'version https://git-lfs.github.com/spec/v1\noid sha256:0\n',
    'pointer of Git LFS',
  ],
  ['other JSON', '[1]', 'it is JSON, but has no cells'],
] as const) {
  test(`${what} is told of with its place`, () => {
    assert.throws(() => renderNotebook(text), { code: 'NOTEBOOK_BROKEN', message: new RegExp(says) })
  })
}

test('cells that are not as they should be are left out, not the notebook', () => {
  const { html } = rendered([
    null,
    1,
    [],
    { cell_type: 'code', outputs: 'x', source: { a: 1 } },
    { cell_type: 'raw', source: 'here' },
  ])
  assert.match(html, /here/)
})

test('a picture is what its bytes say', () => {
  assert.equal(readPicture(PNG, 1000)?.type, 'image/png')
  assert.equal(readPicture(btoa('GIF89a......'), 1000)?.type, 'image/gif')
  for (const none of [btoa('<svg onload=x>'), 'iVBORw0KGgo"', '', PNG.repeat(1000)]) {
    assert.equal(readPicture(none, 1000), undefined)
  }
})

function rendered(cells: readonly unknown[]) {
  return renderNotebook(JSON.stringify({ nbformat: 4, cells }))
}
