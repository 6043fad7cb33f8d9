import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BRANCH_NAME_REFUSED, REPOSITORY_PATH_REFUSED } from './git-errors.ts'
import { checkedBranch, checkedPath } from './git-names.ts'

const BAD_BRANCHES = [
  '--upload-pack=x',
  '-c',
  'a..b',
  'x.lock',
  'x.lock/y',
  '@{-1}',
  '@',
  'HEAD',
  'b'.repeat(300),
  '',
  'a b',
  'a\nb',
  'a~1',
  'a^',
  'a:b',
  'a?',
  'a*',
  'a[',
  'a\\b',
  '/a',
  'a/',
  'a//b',
  '.a',
  'a/.b',
  'a.',
  'a\u200bb',
  '../../../X',
]
for (const name of BAD_BRANCHES) {
  test(`G10 G21 the branch name ${JSON.stringify(name.slice(0, 40))} is refused`, () => {
    assert.throws(() => checkedBranch(name), BRANCH_NAME_REFUSED.matches)
  })
}

test('usual branch names are accepted as they are', () => {
  for (const name of [
    'main',
    'release/1.2',
    'feature/ABC-1_x',
    'é',
    'refs/heads/x',
    'dependabot/npm_and_yarn/@types/node-22',
  ]) {
    assert.equal(checkedBranch(name), name)
  }
})

const BAD_PATHS = [
  '',
  '/etc/passwd',
  '../x',
  'a/../../x',
  'a//b',
  './a',
  'a/.',
  '.git/config',
  'a/.GIT/x',
  'a\0b',
  'a\nb',
  'a\\b',
  'p'.repeat(1025),
]
for (const path of BAD_PATHS) {
  test(`G12 the path ${JSON.stringify(path.slice(0, 40))} is refused`, () => {
    assert.throws(() => checkedPath(path), REPOSITORY_PATH_REFUSED.matches)
  })
}

test('usual paths are accepted as they are', () => {
  for (const path of [
    '.',
    'compose.yaml',
    '.fairlead/a.yaml',
    'a b/ü',
    '.github/x',
    '.gitignore',
    '..a/b',
    '-x',
  ]) {
    assert.equal(checkedPath(path), path)
  }
})
