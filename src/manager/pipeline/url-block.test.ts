import assert from 'node:assert/strict'
import { test } from 'node:test'
import { urlBlock } from './url-block.ts'

const FACTS = {
  app: 'shop',
  path: 'docs/URL.md',
  domains: ['shop.example.org', 'xn--shp-0na.example.org'],
  commit: 'c'.repeat(40),
} as const

test('R10 R11 a block has a link to each address and the commit that runs, for people and for programs', () => {
  const { path, marker, version, text } = urlBlock(FACTS)
  assert.deepEqual([path, marker, version], ['docs/URL.md', 'fairlead:shop', 1])
  assert.match(text, /\[shop\.example\.org\]\(https:\/\/shop\.example\.org\/\)/)
  const data = /<!-- fairlead:data (.*) -->$/.exec(text)?.[1] ?? ''
  assert.deepEqual(JSON.parse(data), {
    v: 1,
    app: 'shop',
    status: 'live',
    url: 'https://shop.example.org/',
    urls: ['https://shop.example.org/', 'https://xn--shp-0na.example.org/'],
    commit: FACTS.commit,
  })
})

test('a name with two hyphens cannot end the comment', () => {
  const comment = urlBlock(FACTS).text.split('<!--')[1] ?? ''
  assert.equal(comment.split('--').length, 2)
})

test('the same facts give the same bytes', () => {
  assert.deepEqual(urlBlock(FACTS), urlBlock({ ...FACTS }))
})

test('the port of the proxy is part of the address where it is none that everybody tries', () => {
  const { text } = urlBlock({ ...FACTS, visitors: { httpPort: 80, httpsPort: 8443 } })
  assert.match(text, /\[shop\.example\.org\]\(https:\/\/shop\.example\.org:8443\/\)/)
})
