import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withBlock } from './marked-block.ts'
import { indexBlock, notebookBlock } from './notebook-block.ts'
import type { NotebookLink } from './notebook-link-data.ts'

const CHURN: NotebookLink = {
  slug: 'churn',
  folder: 'reports/churn',
  title: 'Churn analysis',
  status: 'live',
  url: 'https://churn.nb.example.org/',
  mode: 'lab',
  commit: '3f2a9c1b7d04'.padEnd(40, '0'),
  tree: 't-9c1b0000000000000000000a',
  image: 'registry.example.org/nb/p/churn@sha256:00',
  badge: 'https://nb.example.org/badge/churn.svg',
  preview: 'https://nb.example.org/preview/churn/',
  error: null,
}

test('R10 R11 a block says where the notebook opens, for people and for programs', () => {
  const { path, text, marker } = notebookBlock(CHURN, false)
  assert.deepEqual([path, marker], ['reports/churn/URL.md', 'nb'])
  assert.equal(
    text.split('\n\n')[0],
    [
      '| | |',
      '|---|---|',
      '| **Open** | [Churn analysis](https://churn.nb.example.org/) |',
      '| **Status** | ![live](https://nb.example.org/badge/churn.svg) live |',
      '| **Version** | `3f2a9c1b7d04` |',
      '| **Preview** | [read-only](https://nb.example.org/preview/churn/) |',
    ].join('\n'),
  )
  assert.deepEqual(dataOf(text), {
    v: 1,
    project: 'churn',
    status: 'live',
    url: 'https://churn.nb.example.org/',
    mode: 'lab',
    commit: CHURN.commit,
    tree: CHURN.tree,
    image: null,
    preview: CHURN.preview,
    error: null,
  })
  assert.equal((dataOf(notebookBlock(CHURN, true).text) as { image: string }).image, CHURN.image)
})

test('R10 after a failure the last good link stays, with why in one cell', () => {
  const error = 'pip: no matching distribution for numpyy | see `x` (requirements.txt:3)'
  const { text } = notebookBlock({ ...CHURN, status: 'failed', error }, false)
  assert.match(text, /\| \*\*Open\*\* \| \[Churn analysis\]\(https:\/\/churn/)
  assert.match(text, /\| \*\*Last error\*\* \| pip: .* numpyy \\\| see \\`x\\` \(requirements\.txt:3\) \|\n/)
  const never = notebookBlock({ ...CHURN, status: 'failed', url: null, commit: null, error }, false).text
  assert.match(never, /\| \*\*Open\*\* \| _not available_ \|/)
  assert.match(never, /\| \*\*Version\*\* \| - \|/)
})

test('whatever a title or an error is, the block stays one table and one comment', () => {
  const odd = '--> <!-- nb:end -->\n| a | ](https://evil) <script> `x` \\'
  const { text } = notebookBlock({ ...CHURN, title: odd, error: odd, url: 'https://a.example/x)(y|z' }, false)
  const lines = text.split('\n')
  assert.equal(lines.length, 9)
  assert.equal(text.match(/<!--|-->/g)?.length, 2)
  for (const line of lines.slice(2, 7)) {
    assert.equal(line.match(/(?<!\\)\|/g)?.length, 3, line)
    assert.doesNotMatch(line, /(?<!\\)[<`]x|(?<!\\)<script/)
  }
  const comment = lines.at(-1) ?? ''
  assert.equal(comment.indexOf('-->'), comment.length - 3)
  assert.equal((dataOf(text) as { error: string }).error, odd)
})

test('the same state is the same bytes, and a block put twice is put once', () => {
  const block = notebookBlock(CHURN, false)
  assert.deepEqual(notebookBlock({ ...CHURN }, false), block)
  const once = withBlock('# Mine\r\n', block).text
  assert.equal(withBlock(once, block).text, once)
  assert.doesNotMatch(once, /[^\r]\n/)
})

test('R11 the index lists the projects by their folders, without those that are gone', () => {
  const root = { ...CHURN, slug: 'all', folder: '.', title: 'A|ll' }
  const gone = { ...CHURN, slug: 'old', folder: 'a', status: 'removed' } as const
  const { text, path, marker } = indexBlock([CHURN, gone, root])
  assert.deepEqual([path, marker], ['URL.md', 'nb:index'])
  assert.deepEqual(dataOf(text), { v: 1, projects: ['all', 'churn'] })
  assert.match(
    text,
    /\| A\\\|ll \| \. \| \[open\]\(https:\/\/churn[^\n]*\n\| Churn analysis \| reports\/churn/,
  )
})

function dataOf(text: string): unknown {
  return JSON.parse(/<!-- nb:(?:index-)?data (.*) -->$/.exec(text)?.[1] ?? '')
}
