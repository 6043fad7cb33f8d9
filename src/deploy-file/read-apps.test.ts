import { deepEqual, equal } from 'node:assert/strict'
import { describe, test } from 'node:test'
import { appNameOf } from './conventions.ts'
import { deployFilesIn, readApps } from './read-apps.ts'
import { TEST_TARGETS } from './test-targets.ts'

function read(texts: Readonly<Record<string, string>>, paths = Object.keys(texts)) {
  return readApps({ texts, paths, repositoryName: 'team/Web_Shop', targets: TEST_TARGETS })
}

const RAFT = 'version: 1\napps:\n  raft: { target: raft }\n'

describe('the apps of a checkout', () => {
  test('come from the deploy file when there is one, whatever else is there', () => {
    deepEqual(read({ 'fairlead.yaml': RAFT, 'boat.yaml': '' }), {
      apps: [{ name: 'raft', target: 'raft', settings: {}, common: {} }],
      problems: [],
      source: 'fairlead.yaml',
    })
  })

  test('come from all files in .fairlead', () => {
    const other = RAFT.replace('raft:', 'canoe:')
    const { apps, problems } = read({
      '.fairlead/b.yaml': RAFT,
      '.fairlead/a.yaml': other,
      '.fairlead/deep/c.yaml': 'x',
    })
    deepEqual(problems, [])
    deepEqual(
      apps.map(({ name }) => name),
      ['canoe', 'raft'],
    )
  })

  test('are refused as a whole when one of the files is wrong', () => {
    const { apps, problems } = read({
      '.fairlead/a.yaml': RAFT,
      '.fairlead/b.yaml': 'version: 1\napps: []\n',
    })
    deepEqual(apps, [])
    deepEqual(
      problems.map(({ file, line, path }) => [file, line, path]),
      [['.fairlead/b.yaml', 2, 'apps']],
    )
  })

  test('have each name once', () => {
    const { apps, problems } = read({ 'fairlead.yaml': RAFT, '.fairlead/a.yaml': RAFT })
    deepEqual(apps, [])
    deepEqual(problems, [
      {
        path: 'apps.raft',
        message: 'is described in .fairlead/a.yaml too',
        expected: 'each name once',
        file: 'fairlead.yaml',
      },
    ])
  })

  test('are not guessed when there is a deploy file that cannot be read', () => {
    const { apps, problems, source } = read({ 'boat.yaml': '' }, ['boat.yaml', 'fairlead.yaml'])
    deepEqual([apps, source], [[], 'fairlead.yaml'])
    equal(problems[0]?.message, 'could not be read')
  })

  test('cannot come from two spellings of the deploy file', () => {
    const { problems } = read({ 'fairlead.yaml': RAFT, 'fairlead.yml': RAFT.replace('raft:', 'canoe:') })
    deepEqual(
      problems.map(({ file, message }) => `${file} ${message}`),
      ['fairlead.yml is there beside fairlead.yaml'],
    )
    deepEqual(read({ 'fairlead.yml': RAFT }).problems, [])
  })

  test('come from the first target that knows the files when there is no deploy file', () => {
    deepEqual(read({ 'raft.txt': 'logs', 'boat.yaml': 'mast' }), {
      apps: [{ name: 'web-shop', target: 'boat', settings: { sign: 'mast' }, common: {} }],
      problems: [],
      source: 'convention',
    })
    equal(read({ 'raft.txt': 'logs' }).apps[0]?.target, 'raft')
  })

  test('are none when nothing is known', () => {
    deepEqual(read({ 'README.md': '' }), { apps: [], problems: [], source: 'convention' })
    deepEqual(deployFilesIn(['src/fairlead.yaml', 'fairlead.yaml.bak', '.fairlead/x.json']), [])
  })
})

describe('the name of an app after its repository', () => {
  for (const [repository, name] of [
    ['shop', 'shop'],
    ['team/Web_Shop', 'web-shop'],
    ['https://git.example.org/team/shop.git', 'shop'],
    ['git@git.example.org:team/shop.git/', 'shop'],
    ['Ação', 'acao'],
    ['--x--', 'x'],
    ['.git', 'app'],
    ['日本', 'app'],
    ['', 'app'],
    [`${'a'.repeat(39)}-b`, 'a'.repeat(39)],
  ] as const) {
    test(`${JSON.stringify(repository)} gives ${name}`, () => equal(appNameOf(repository), name))
  }
})
