import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { AppDocument } from '#contract/rest/apps.ts'
import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'
import type { RepositoryDocument } from '#contract/rest/repositories.ts'
import type { VisitDocument } from '#contract/rest/visits.ts'
import { systemClock } from '#lib/clock.ts'
import { mustRun } from './world/command.ts'
import { type Remote, type System, startSystem } from './world/system.ts'
import { askHost, cookieOf } from './world/visitor.ts'

/** Waits for its token as a notebook server does, and serves what lies in the project. */
const SERVER = [
  '#!/bin/sh',
  'until [ -s "$JUPYTER_TOKEN_FILE" ]; do sleep 0.1; done',
  'mkdir /tmp/served && cat /srv/project/*.ipynb "$JUPYTER_TOKEN_FILE" > /tmp/served/index.html',
  'id -u > /tmp/served/api && exec httpd -f -p 8888 -h /tmp/served',
].join('\n')
const DOCKERFILE = 'COPY serve /bin/serve\nUSER 1000:1000\nEXPOSE 8888\nCMD ["sh", "/bin/serve"]\n'
const MARKER = 'run: { memory: 64m, cpus: 0.5 }\n'

describe('a repository of notebook projects', () => {
  const resources = new AsyncDisposableStack()
  let system: System
  let remote: Remote
  const client = () => system.together().client
  const docker = (...args: string[]) => mustRun('docker', args, { folder: system.folder })

  async function ids(): Promise<string[]> {
    const { items } = await client().get<{ items: DeploymentDocument[] }>('/deployments')
    return items.map(({ id }) => id)
  }

  /** Pushes, looks at the repository, and gives how the deployments of so many apps ended that this asked for. */
  async function pushed(
    files: Readonly<Record<string, string | null>>,
    apps: number,
  ): Promise<DeploymentDetail[]> {
    const known = await ids()
    await remote.push(files)
    await client().send('PATCH', '/repositories/lessons', { auto_apps: true })
    for (;;) {
      const { items } = await client().get<{ items: DeploymentDocument[] }>('/deployments')
      const news = items.filter(({ id }) => !known.includes(id))
      if (news.length >= apps && news.every(({ finished_at }) => finished_at !== null)) {
        const ended = await Promise.all(
          news.map(({ id }) => client().get<DeploymentDetail>(`/deployments/${id}`)),
        )
        return ended.sort((a, b) => (`${a.app} ${a.id}` < `${b.app} ${b.id}` ? -1 : 1))
      }
      const { problem } = await client().get<RepositoryDocument>('/repositories/lessons')
      equal(problem, null, JSON.stringify(problem))
      await systemClock.sleep(100)
    }
  }

  /** What somebody sees who came by a link. */
  async function visitOf(app: string): Promise<string> {
    const { url } = await client().send<VisitDocument>('POST', `/apps/${app}/visits`, {})
    const { hostname, port, pathname, search } = new URL(url)
    const place = { host: hostname, port: Number(port) }
    const cookie = cookieOf(await askHost(place, { path: pathname + search }))
    for (;;) {
      const { status, body } = await askHost(place, { headers: { cookie } })
      if (status !== 503) {
        return body
      }
      match(body, /Starting/)
      await systemClock.sleep(100)
    }
  }

  const words = (ended: readonly DeploymentDetail[]) =>
    ended.map(each => `${each.app} ${each.kind} ${each.outcome ?? ''} ${each.error?.code ?? ''}`.trim())
  const containerOf = async (app: string) =>
    (await docker('ps', '--quiet', '--no-trunc', '--filter', `label=io.fairlead.app=${app}`)).trim()
  const images = async () => (await docker('images', '--quiet', '--no-trunc')).split('\n').length

  before(async () => {
    system = await startSystem(resources)
    remote = await system.addRepository('lessons', { 'README.md': 'Lessons\n' })
    await client().send('DELETE', '/apps/lessons')
    const environment = await makeBase(system, docker)
    await system.restart({ environment })
  })
  after(() => resources.disposeAsync())

  test('R9 R11 becomes an app for each project, served beside each other, without anybody setting up one', async () => {
    const ended = await pushed(
      {
        // The repository is to hold only what is pushed here.
        'notebooks.yaml': 'urlmd: { enabled: false }\n',
        'a/nb.yaml': MARKER,
        'a/a.ipynb': notebook('first a'),
        'b/nb.yaml': MARKER,
        'b/b.ipynb': notebook('first b'),
        'notes/draft.ipynb': notebook('guessed'),
      },
      2,
    )
    deepEqual(
      words(ended),
      ['a deploy deployed', 'b deploy deployed'],
      JSON.stringify(ended.map(each => each.error)),
    )
    match(await visitOf('a'), /first a/)
    match(await visitOf('b'), /first b/)
  })

  test('its server has a token that only the worker has besides, and no privilege', async () => {
    const { items } = await client().get<{ items: DeploymentDocument[] }>('/deployments')
    const { id } = items.find(({ app }) => app === 'a') as DeploymentDocument
    const path = join(system.folder, 'worker', 'workspace', 'tokens', 'a', id)
    const token = await readFile(path, 'utf8')
    ok(token.length >= 43)
    equal((await stat(path)).mode & 0o777, 0o600)
    ok((await visitOf('a')).endsWith(token))
    const inspected = await docker('inspect', await containerOf('a'))
    ok(!inspected.includes(token))
    const [{ HostConfig, Config }] = JSON.parse(inspected)
    deepEqual([HostConfig.CapDrop, HostConfig.RestartPolicy.Name, Config.User], [['ALL'], 'no', '1000:1000'])
    deepEqual([HostConfig.Memory, HostConfig.PortBindings], [64 * 1024 ** 2, {}])
    ok(!(await docker('history', '--no-trunc', Config.Image)).includes(token))
  })

  test('opens for nobody without a link, and wakes for a visitor, with another token, when it does not run', async () => {
    const stranger = await system.visit('a.localhost')
    equal(stranger.status, 401)
    match(stranger.body, /\/open\/a"/)
    const before = await visitOf('a')
    await docker('stop', await containerOf('a'))
    const woken = await visitOf('a')
    match(woken, /first a/)
    notEqual(woken, before)
  })

  test('P7 a push of one notebook makes one layer and replaces that server alone', async () => {
    const [old, other, made] = [await containerOf('a'), await containerOf('b'), await images()]
    const ended = await pushed({ 'a/a.ipynb': notebook('second a'), 'README.md': 'New\n' }, 2)
    deepEqual(words(ended), ['a deploy deployed', 'b deploy unaffected'])
    match(await visitOf('a'), /second a/)
    equal(await containerOf('b'), other)
    ok((await containerOf('a')) !== old)
    ok((await images()) <= made + 1)
    const log = await system.logOf(ended[0]?.id ?? '')
    match(log, /its files are added as a layer/)
    deepEqual(ended[1]?.steps.map(({ name }) => name).sort(), ['checkout', 'compare', 'read'])
  })

  test('what cannot be installed leaves the server as it is, and the error names file and line', async () => {
    const serving = await containerOf('a')
    const [failed, same] = await pushed(
      { 'a/requirements.txt': 'numpy\n--index-url http://10.1.2.3/simple\n' },
      2,
    )
    deepEqual(
      [failed?.state, failed?.error?.code, same?.outcome],
      ['failed', 'NOTEBOOK_REFUSED', 'unaffected'],
    )
    const problem = failed?.error?.problems?.[0]
    deepEqual([problem?.file, problem?.line], ['a/requirements.txt', 2])
    equal(await containerOf('a'), serving)
    match(await visitOf('a'), /second a/)
  })

  test('a folder that is gone takes its app along, and the others keep their names', async () => {
    const ended = await pushed(
      {
        'a/requirements.txt': null,
        'b/nb.yaml': null,
        'b/b.ipynb': null,
        'x/b/nb.yaml': 'slug: c\n',
        'x/b/b.ipynb': notebook('c'),
      },
      4,
    )
    deepEqual(words(ended), [
      'a deploy nothing-to-do',
      'b deploy files-gone',
      'b remove removed',
      'c deploy deployed',
    ])
    equal(await containerOf('b'), '')
    const { items } = await client().get<{ items: AppDocument[] }>('/apps')
    deepEqual(items.map(({ name, target }) => `${name} ${target}`).sort(), ['a notebook', 'c notebook'])
  })

  test('a rollback brings the server of before back by its digest', async () => {
    await client().send('POST', '/apps/a/rollback', { wait_seconds: 120 })
    match(await visitOf('a'), /first a/)
  })
})

/** A small server in place of Jupyter, in the registry of the system, and the setting that names it. */
async function makeBase(
  system: System,
  docker: (...args: string[]) => Promise<string>,
): Promise<Record<string, string>> {
  const context = join(system.folder, 'base')
  const { address } = system.registry
  const { username, password } = system.registryOptions
  await mkdir(context)
  await writeFile(join(context, 'serve'), SERVER)
  await writeFile(join(context, 'Dockerfile'), `FROM ${system.baseImage}\n${DOCKERFILE}`)
  const name = `${address}/nb/base`
  await docker('build', '--quiet', '--tag', `${name}:1`, context)
  await docker('login', '--username', username, '--password', password, address)
  const told = await docker('push', `${name}:1`)
  const digest = /digest: (sha256:[0-9a-f]{64})/.exec(told)?.[1]
  const file = join(system.folder, 'notebooks.json')
  const base = { name: 'small', reference: `${name}@${digest}`, pythons: ['3.12'], tools: [] }
  await writeFile(file, JSON.stringify({ bases: [base] }))
  return { FAIRLEAD_NOTEBOOKS_FILE: file }
}

function notebook(text: string): string {
  const cells = [{ cell_type: 'markdown', metadata: {}, source: [text] }]
  return JSON.stringify({
    cells,
    metadata: { kernelspec: { name: 'python3' } },
    nbformat: 4,
    nbformat_minor: 5,
  })
}
