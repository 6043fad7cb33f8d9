import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withBlock } from './marked-block.ts'

const SHOP = { marker: 'fairlead:shop', version: 1, text: 'new' } as const
const BLOCK = '<!-- fairlead:shop:begin v=1 -->\nnew\n<!-- fairlead:shop:end -->\n'
const OLD = BLOCK.replace('new', 'old\nlines')

for (const [what, before, after] of [
  ['becomes the whole of a file that is not there', '', BLOCK],
  ['is added below what somebody wrote', '# Shop\n\n\n', `# Shop\n\n${BLOCK}`],
  ['replaces itself and nothing around it', `# Shop\n${OLD}\nmore\n`, `# Shop\n${BLOCK}\nmore\n`],
  ['keeps a file without a last line break so', `a\n${OLD}b`, `a\n${BLOCK}b`],
  [
    'stands beside the block of another app',
    OLD.replaceAll('shop', 'blog'),
    `${OLD.replaceAll('shop', 'blog')}\n${BLOCK}`,
  ],
  [
    'follows the line ends of the file',
    `# Shop\r\n${OLD.replaceAll('\n', '\r\n')}`,
    `# Shop\r\n${BLOCK.replaceAll('\n', '\r\n')}`,
  ],
] as const) {
  test(`a marked block ${what}, and a second time changes nothing`, () => {
    const merged = withBlock(before, SHOP)
    assert.deepEqual(merged, { text: after })
    assert.deepEqual(withBlock(after, SHOP), { text: after })
  })
}

test('a mark without the other one stays, with everything below it, and a new block is added once', () => {
  for (const broken of [
    '<!-- fairlead:shop:begin v=1 -->\nmine\n',
    'mine\n<!-- fairlead:shop:end -->\n',
    `<!-- fairlead:shop:end -->\nmine\n<!-- fairlead:shop:begin v=1 -->\n`,
  ]) {
    const merged = withBlock(broken, SHOP)
    assert.match(merged.warning ?? '', /without the other/)
    assert.equal(merged.text, `${broken}\n${BLOCK}`)
    assert.deepEqual(withBlock(merged.text, { ...SHOP, text: 'newer' }), {
      text: merged.text.replace('new\n', 'newer\n'),
    })
  }
})

test('a block of an unknown version is left alone', () => {
  const text = BLOCK.replace('v=1', 'v=2')
  const merged = withBlock(text, SHOP)
  assert.equal(merged.text, text)
  assert.match(merged.warning ?? '', /version 2, known is 1/)
})
