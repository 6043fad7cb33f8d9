import assert from 'node:assert/strict'
import { test } from 'node:test'
import MarkdownIt from 'markdown-it'
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

test('R10 beside why it failed stands where its log is, at the same address each time', () => {
  const log = 'https://nb.example.org/preview/churn/log'
  const { text } = notebookBlock({ ...CHURN, status: 'failed', error: 'pip: no (a.txt:3)', log }, false)
  assert.match(
    text,
    /\| \*\*Last error\*\* \| pip: no \(a\.txt:3\) \(\[log\]\(https:\/\/nb\.example\.org\/preview\/churn\/log\)\) \|\n/,
  )
  assert.doesNotMatch(notebookBlock({ ...CHURN, log }, false).text, /\[log\]/)
})

test('R10 what somebody changed between the marks is found, and nothing that stands as it was written', () => {
  const odd = '--> | ](https://evil) <script> `x` \\'
  const links: NotebookLink[] = [
    CHURN,
    { ...CHURN, badge: null, preview: null, url: null, commit: null, title: odd },
    { ...CHURN, status: 'failed', error: odd, log: 'https://nb.example.org/preview/churn/log' },
    { ...CHURN, status: 'failed', error: odd, url: 'https://a.example/x)(y|z' },
  ]
  for (const link of links) {
    const { text, find } = notebookBlock(link, true)
    assert.equal(find?.(text), undefined, text)
    for (const edited of [
      text.replace(/\| \*\*Open\*\* \| .*/, '| **Open** | [Churn](https://elsewhere.example/) |'),
      text.replace(/(\*\*Status\*\* \| ).*/, '$1works |'),
      text.replace(/(\*\*Version\*\* \| ).*/, '$1`0` |'),
      text.replace('|---|---|\n', '|---|---|\n| **Owner** | Ada |\n'),
      text.replace(/\n<!-- .*/, '\n'),
      `${text}\nMine\n`,
    ]) {
      assert.match(find?.(edited) ?? '', /changed by hand/, edited)
    }
  }
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

test('L04 a title that is markdown, names people and refers to things is text and nothing else', () => {
  const title =
    '``` `]( javascript:x) <img src=x onerror=1> ![a](https://evil) @org/team #1 !2 $a$ ~~b~~ www.evil.example https://evil.example | ```'
  const link = { ...CHURN, title, status: 'failed', error: title } as const
  const markdown = new MarkdownIt({ html: true, linkify: true })
  for (const { text, heading } of [notebookBlock(link, false), indexBlock([link])]) {
    const html = markdown.render(`${heading}\n\n${text}\n`).replace(/<!--.*?-->/g, '')
    const targets = [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, target]) => target)
    assert.deepEqual(
      [...new Set(targets)].sort(),
      [CHURN.badge, CHURN.preview, CHURN.url].sort(),
      'no other link or picture',
    )
    assert.doesNotMatch(html, /<(?:script|s|em|pre)\b|<code>(?!3f2a)|<img (?!src="https:\/\/nb\.)/)
    assert.equal(
      (html.match(/<tr>/g) ?? []).length,
      text.split('\n').filter(line => /^\|(?!--)/.test(line)).length,
    )
    assert.doesNotMatch(text.split('<!-- nb')[0] ?? '', /@org|(?<!\\)[#!]\d/)
    assert.ok(html.includes('javascript:x'), 'it is all there, as text')
  }
})
