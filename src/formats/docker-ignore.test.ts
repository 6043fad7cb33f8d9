import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDockerIgnore } from './docker-ignore.ts'

/** Pattern, paths that it leaves out, paths that it does not. */
const TABLE: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['docs', ['docs', 'docs/a/b'], ['a/docs', 'docs2', 'docs2/a']],
  ['docs/', ['docs', 'docs/a'], ['a/docs']],
  ['/docs', ['docs', 'docs/a'], ['a/docs']],
  ['./a//b/../c', ['a/c'], ['a/b']],
  ['*', ['a', 'a/b', '.env'], []],
  ['*.md', ['a.md', '.md', 'x.md/y'], ['a/b.md', 'a.mdx', 'xmd']],
  ['*/temp*', ['a/temp', 'a/temporary/x'], ['temp', 'a/b/temp']],
  ['*/*/temp*', ['a/b/temp'], ['a/temp']],
  ['temp?', ['tempa', 'temp☺'], ['temp', 'tempab', 'temp/']],
  ['**', ['a', 'a/b/c'], []],
  ['**/', ['a', 'a/b/c'], []],
  ['**/**', ['a/b'], []],
  ['**/*.go', ['a.go', 'a/b.go', 'a/b/c.go'], ['a.gox']],
  ['**/dir', ['dir', 'a/dir', 'dir/x', 'a/b/dir/x'], ['adir', 'dirx']],
  ['**/foo/bar', ['foo/bar', 'a/b/foo/bar'], ['foo/x/bar']],
  ['**foo', ['foo', 'afoo', 'a/foo', 'a/xfoo'], ['foob']],
  ['**/dir2/*', ['dir2/a', 'x/dir2/a', 'x/dir2/a/b'], ['dir2']],
  ['**/dir2/**', ['x/dir2/y/z'], ['x/dir2']],
  ['dir/**', ['dir/a', 'dir/a/b'], ['dir']],
  ['abc**', ['abc', 'abcd', 'abc/d'], ['ab']],
  ['a**/*.txt', ['a/f.txt', 'a/b/c/f.txt'], ['f.txt']],
  ['a/*.txt**', ['a/f.txt', 'a/f.txt2'], ['a/b/f.txt']],
  ['a**b', ['ab', 'ax/b', 'a/x/b'], ['axb']],
  ['a[b-d]e', ['ace'], ['ae', 'aae']],
  ['a[^b-d]e', ['aze'], ['ace']],
  ['[x\\-]', ['x', '-'], ['z']],
  ['[\\]a]', [']', 'a'], ['b']],
  ['[a-ζ]*', ['α'], ['A']],
  ['a\\*b', ['a*b'], ['axb']],
  ['a]', ['a]'], ['a']],
  ['a.|)$(}+{bc', ['a.|)$(}+{bc'], ['abbc']],
  ['abc.def', ['abc.def'], ['abcZdef']],
  ['^a', ['^a'], ['a']],
  ['../x', [], ['x', 'a/x']],
  ['.', [], ['a']],
]

for (const [pattern, ignored, kept] of TABLE) {
  test(`${pattern} leaves out ${ignored.join(' ') || 'nothing'}${kept.length > 0 ? `, not ${kept.join(' ')}` : ''}`, () => {
    for (const path of ignored) {
      assert.equal(isIgnored(pattern, path), true, path)
    }
    for (const path of kept) {
      assert.equal(isIgnored(pattern, path), false, path)
    }
  })
}

const SEVERAL: readonly (readonly [string, Readonly<Record<string, boolean>>])[] = [
  ['*.md\n!README.md', { 'a.md': true, 'README.md': false }],
  ['!README.md\n*.md', { 'README.md': true }],
  ['*.md\n!README*.md\nREADME-secret.md', { 'README.md': false, 'README-secret.md': true }],
  ['docs\n!docs/README.md', { 'docs/a': true, 'docs/README.md': false, 'docs/deep/README.md': true }],
  ['docs/*\n!docs/README.md', { docs: false, 'docs/a': true, 'docs/README.md': false }],
  ['**\n!util/web', { 'util/web/a': false, 'util/x': true }],
  ['**\n!util/web\nutil/web/a', { 'util/web/a': true, 'util/web/b': false }],
  ['*\n!**/*.go', { 'a/b.go': false, 'a/b.c': true, 'c.go': false }],
  ['# a comment\n\n  a  \n#b\n c # d', { a: true, '#b': false, 'c # d': true }],
  [' #a', { '#a': true }],
  ['  ! a\nb', { a: false, b: true }],
  ['\uFEFFa\r\nb\r\n', { a: true, b: true }],
]

for (const [text, expected] of SEVERAL) {
  test(`${JSON.stringify(text)}: the last pattern that matches decides`, () => {
    for (const [path, ignored] of Object.entries(expected)) {
      assert.equal(isIgnored(text, path), ignored, path)
    }
  })
}

for (const pattern of ['[', 'a[', '[]a]', '[-]', '[x-]', '[-x]', '[a-b-c]', '[^', '[^bc', '!', 'a\\']) {
  test(`${pattern} means nothing`, () => {
    assert.equal(parseDockerIgnore(`ok\n${pattern}`).invalid, pattern)
  })
}

const FOLDERS: readonly (readonly [string, string, boolean])[] = [
  ['docs', 'docs', false],
  ['docs\n!docs/README.md', 'docs', true],
  ['docs\n!docs/a/b/**', 'docs/a', true],
  ['docs\n!other/README.md', 'docs', false],
  ['docs\n!docs2', 'docs', false],
  ['*\n!**/*.go', 'anything', true],
]

for (const [text, folder, expected] of FOLDERS) {
  test(`${JSON.stringify(text)}: the left-out ${folder} ${expected ? 'is' : 'is not'} looked into`, () => {
    assert.equal(parseDockerIgnore(text).mayHoldKept(folder), expected)
  })
}

test('a hostile pattern of many stars is answered at once', () => {
  const pattern = `${'**/'.repeat(200)}${'*a'.repeat(200)}b`
  const path = `${'a/'.repeat(20)}${'a'.repeat(1000)}`
  assert.equal(isIgnored(pattern, path), false)
})

function isIgnored(text: string, path: string): boolean {
  const ignore = parseDockerIgnore(text)
  const parts = path.split('/')
  const findings = parts.reduce<ReturnType<typeof ignore.check> | undefined>(
    (folder, _part, i) => ignore.check(parts.slice(0, i + 1).join('/'), folder),
    undefined,
  )
  return findings?.ignored ?? false
}
