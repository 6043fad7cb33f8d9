import { deepEqual, match } from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TARGETS } from '#targets/index.ts'
import { readApps } from './read-apps.ts'

const REPO = { url: 'ssh://git@git.example.org/team/code.git', credential: 'CODE_KEY' }
const REMOTE = { name: 'code', ...REPO }
const SERVICES = 'services: { web: { image: team/web:1, build: ./app } }'
const IMAGE = JSON.stringify({ tag: 'team/web:1', context: 'app', repo: 'code' })
const INSTANCE = JSON.stringify({ enabled: true, repo: 'code' })

function read(texts: Readonly<Record<string, string>>) {
  return readApps({ texts, paths: Object.keys(texts), repositoryName: 'infra', targets: TARGETS })
}

function only(texts: Readonly<Record<string, string>>) {
  const { apps, problems } = read({ 'repo.code.json': JSON.stringify(REPO), ...texts })
  deepEqual(problems, [])
  deepEqual(apps.length, 1)
  const [{ settings, files } = {}] = apps
  return { settings: settings as { context?: string; dockerfile?: string; files?: string[] }, files }
}

describe('files of another repository', () => {
  test('R51 an image takes its Dockerfile and the code from there, once that is fetched', () => {
    const { settings, files } = only({
      'image.remote-repo.web.json': IMAGE,
      '.remote-repo/code/docker/Dockerfile.web': 'FROM scratch',
      '.remote-repo/code/docker/app/x': '',
    })
    deepEqual(
      [settings.dockerfile, settings.context],
      ['.remote-repo/code/docker/Dockerfile.web', '.remote-repo/code/docker/app'],
    )
    deepEqual(files?.remotes, [REMOTE])
    deepEqual(files?.paths.includes('repo.code.json'), true)
  })

  test('R51 a Dockerfile may be here and the code there: its context begins at the root of that repository', () => {
    const { settings } = only({
      'image.remote-repo.web.json': IMAGE,
      'docker/Dockerfile.web': 'FROM scratch',
      '.remote-repo/code/app/x': '',
    })
    deepEqual([settings.dockerfile, settings.context], ['docker/Dockerfile.web', '.remote-repo/code/app'])
  })

  test('R51 the repository is named by a file of its own or in place', () => {
    const { files } = only({
      'image.remote-repo.web.json': JSON.stringify({
        tag: 'team/web:1',
        repo: { name: 'other', url: 'https://git.example.org/team/other.git', branch: 'develop' },
      }),
    })
    const url = 'https://git.example.org/team/other.git'
    deepEqual(files?.remotes, [{ name: 'other', url, branch: 'develop' }])
  })

  test('R51 a stack takes its Compose file from there, a definition several', () => {
    const far = '.remote-repo/code/deploy/docker-compose.site.yml'
    const simple = only({
      'simple-stack-instance.remote-repo.site.live.json': INSTANCE,
      [far]: SERVICES,
    })
    deepEqual(simple.settings.files, [far])
    deepEqual(simple.files?.remotes, [REMOTE])
    const defined = only({
      'stack-definition.remote-repo.shop.json': JSON.stringify({ composes: ['site', 'extra'], repo: 'code' }),
      'stack-instance.shop.live.json': JSON.stringify({ enabled: true }),
      'docker-compose.extra.yml': SERVICES,
      [far]: SERVICES,
    })
    deepEqual(defined.settings.files, [far, 'docker-compose.extra.yml'])
    deepEqual(defined.files?.remotes, [REMOTE])
  })

  test('nothing but what the own files name is taken from there', () => {
    const { apps, problems } = read({
      'image.web.json': JSON.stringify({ tag: 'team/web:1' }),
      'Dockerfile.web': 'FROM scratch',
      '.remote-repo/code/Dockerfile.web': 'FROM other',
      '.remote-repo/code/image.evil.json': JSON.stringify({ tag: 'team/evil:1' }),
      '.remote-repo/code/Dockerfile.evil': 'FROM scratch',
      '.remote-repo/code/docker-compose-evil.yml': SERVICES,
    })
    deepEqual(problems, [])
    deepEqual(
      apps.map(({ name, settings }) => [name, (settings as { dockerfile: string }).dockerfile]),
      [['image-web', 'Dockerfile.web']],
    )
  })

  test('what is missing or wrong is said of the file that says it', () => {
    const problemsOf = (texts: Readonly<Record<string, string>>) =>
      read(texts).problems.map(({ file, message, line }) => `${file}:${line ?? ''} ${message}`)
    const image = { 'image.remote-repo.web.json': IMAGE }
    const [absent] = problemsOf(image)
    match(absent ?? '', /^image.remote-repo.web.json:1 needs the repository "code", which is not there/)
    const [open] = problemsOf({ ...image, 'repo.code.json': JSON.stringify({ url: REPO.url }) })
    match(open ?? '', /^repo.code.json:1 is an SSH address without "credential"/)
    const there = { ...image, 'repo.code.json': JSON.stringify(REPO), '.remote-repo/code/README': '' }
    deepEqual(problemsOf(there), ['image.remote-repo.web.json: has no Dockerfile'])
    const [left] = problemsOf({
      ...there,
      'image.remote-repo.web.json': JSON.stringify({ tag: 'team/web:1', context: '../..', repo: 'code' }),
      'Dockerfile.web': '',
    })
    match(left ?? '', /leaves the repository/)
  })
})
