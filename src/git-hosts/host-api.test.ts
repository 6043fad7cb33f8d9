import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { Secret } from '#lib/secret.ts'
import { API_NOT_UNDERSTOOD } from './errors.ts'
import { nextPage } from './host-api.ts'
import { GIT_HOSTS, HOST_APIS, hostApiNamed } from './index.ts'

const require = createRequire(import.meta.url)
const place = { server: 'git.example.org:8443', owner: 'team/sub', token: new Secret('canary') }

function apiNamed(name: string) {
  const api = hostApiNamed(name)
  assert.ok(api)
  return api
}

for (const api of HOST_APIS) {
  test(`${api.name}: every request goes to the server of the organisation alone, with the token in a header`, () => {
    assert.ok(GIT_HOSTS.some(host => host.name === api.name))
    const repository = { id: '7', path: 'team/we?b', branch: 'main', topics: [], unfit: undefined }
    for (const request of [
      api.owner(place),
      api.repositories(place, 3),
      api.repository(place, 'team/we?b'),
      api.file(place, repository, 'fairlead.yaml'),
    ]) {
      assert.equal(request.method, 'GET')
      const url = new URL(request.url)
      assert.equal(url.origin, 'https://git.example.org:8443')
      assert.doesNotMatch(request.url, /canary|we\?b/)
      const secrets = Object.values(request.headers ?? {}).filter(value => value instanceof Secret)
      assert.match(secrets.map(secret => secret.reveal()).join(), /canary/)
    }
    assert.match(api.repositories(place, 3).url, /[?&]page=3$/)
    const anonymous = api.owner({ ...place, token: undefined })
    assert.ok(Object.values(anonymous.headers ?? {}).every(value => typeof value === 'string'))
  })

  test(`${api.name}: an answer of another shape is an error that may pass, not a list that is shorter`, () => {
    for (const body of [null, {}, { id: 'x' }, [{}], 'text', [{ id: 1 }]]) {
      assert.throws(() => api.readOwner(body), API_NOT_UNDERSTOOD.matches)
      assert.throws(() => api.readRepositories(body), API_NOT_UNDERSTOOD.matches)
      assert.throws(() => api.readRepository(body), API_NOT_UNDERSTOOD.matches)
    }
  })
}

test('R65 repositories as GitHub words them are understood, in every one of its sample events', () => {
  const definitions = require('@octokit/webhooks-examples/api.github.com/index.json') as {
    examples: { repository?: { id: number; full_name: string; fork: boolean } }[]
  }[]
  const repositories = definitions.flatMap(({ examples }) => examples.flatMap(each => each.repository ?? []))
  assert.ok(repositories.length > 100)
  const read = apiNamed('github').readRepositories(repositories)
  for (const [index, { id, full_name, fork }] of repositories.entries()) {
    assert.deepEqual([read[index]?.id, read[index]?.path], [String(id), full_name])
    assert.equal(read[index]?.unfit === 'fork', fork)
  }
})

test('R65 projects as GitLab documents them are understood', () => {
  const project = {
    id: 4,
    description: null,
    name: 'Diaspora Client',
    path: 'diaspora-client',
    path_with_namespace: 'diaspora/sub/diaspora-client',
    default_branch: 'main',
    topics: ['fairlead'],
    http_url_to_repo: 'https://gitlab.example.com/diaspora/sub/diaspora-client.git',
    archived: false,
    empty_repo: false,
    visibility: 'private',
    repository_access_level: 'enabled',
    marked_for_deletion_on: null,
    namespace: { id: 3, name: 'sub', path: 'sub', kind: 'group', full_path: 'diaspora/sub' },
  }
  const api = apiNamed('gitlab')
  assert.deepEqual(api.readRepository(project), {
    id: '4',
    path: 'diaspora/sub/diaspora-client',
    branch: 'main',
    topics: ['fairlead'],
    isPrivate: true,
    unfit: undefined,
  })
  assert.equal(api.readRepository({ ...project, visibility: 'internal' }).isPrivate, false)
  const unfit = (changes: object) => api.readRepository({ ...project, ...changes }).unfit
  assert.equal(unfit({ forked_from_project: { id: 1 } }), 'fork')
  assert.equal(unfit({ archived: true }), 'archived')
  assert.equal(unfit({ repository_access_level: 'disabled' }), 'disabled')
  assert.equal(unfit({ marked_for_deletion_on: '2026-11-21' }), 'disabled')
  assert.equal(unfit({ empty_repo: true, default_branch: null }), 'empty')
  assert.deepEqual(api.readOwner({ id: 3, full_path: 'diaspora/sub', kind: 'group' }), {
    id: '3',
    path: 'diaspora/sub',
  })
  assert.match(api.repository(place, 'a/b/c').url, /\/api\/v4\/projects\/a%2Fb%2Fc$/)
})

for (const name of ['gitea', 'forgejo']) {
  test(`R65 repositories as ${name} words them are understood, also of versions without topics`, () => {
    const repository = {
      id: 12,
      owner: { id: 3, login: 'team', username: 'team' },
      name: 'web',
      full_name: 'team/web',
      empty: false,
      private: true,
      fork: false,
      archived: false,
      default_branch: 'main',
      clone_url: 'https://git.example.org/team/web.git',
    }
    const api = apiNamed(name)
    const read = { id: '12', path: 'team/web', branch: 'main', topics: [], isPrivate: true, unfit: undefined }
    assert.deepEqual(api.readRepository(repository), read)
    assert.deepEqual(api.readRepository({ ...repository, topics: ['fairlead'] }).topics, ['fairlead'])
    assert.equal(api.readRepository({ ...repository, empty: true }).unfit, 'empty')
    assert.deepEqual(api.readOwner({ id: 3, username: 'team' }), { id: '3', path: 'team' })
  })
}

for (const [link, page] of [
  [
    '<https://api.github.com/organizations/1/repos?per_page=100&page=2>; rel="next", <https://x/?page=9>; rel="last"',
    2,
  ],
  ['<https://x/?page=1>; rel="prev", <https://x/?id=5&page=3&per_page=50>; rel="next"', 3],
  ['<https://x/?page=1>; rel="first", <https://x/?page=9>; rel="last"', undefined],
  ['<https://x/?page=-1>; rel="next"', undefined],
  ['nonsense', undefined],
  [undefined, undefined],
] as const) {
  test(`the page after ${JSON.stringify(link)?.slice(0, 60)} is ${page}`, () => {
    assert.equal(nextPage(link), page)
  })
}
