import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { AppDocument } from '#contract/rest/apps.ts'
import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'
import type { RepositoryDocument } from '#contract/rest/repositories.ts'
import { systemClock } from '#lib/clock.ts'
import { mustRun } from './world/command.ts'
import { deploymentIds, deploymentsAfter } from './world/deployments-after.ts'
import { makeNotebookBases } from './world/notebook-setting.ts'
import { smallBase } from './world/small-notebook.ts'
import { type Remote, type System, startSystem } from './world/system.ts'
import { askHost, visitorOf } from './world/visitor.ts'

const MARKER = 'run: { memory: 64m, cpus: 0.5 }\n'
const TEAM = `${MARKER}access: { trust: team }\n`

describe('a repository of notebook projects', () => {
  const resources = new AsyncDisposableStack()
  let system: System
  let remote: Remote
  let environment: Record<string, string>
  const client = () => system.together().client
  const docker = (...args: string[]) => mustRun('docker', args, { folder: system.folder })

  /** Pushes, looks at the repository, and gives how the deployments of so many apps ended that this asked for. */
  async function pushed(
    files: Readonly<Record<string, string | null>>,
    apps: number,
  ): Promise<DeploymentDetail[]> {
    const known = await deploymentIds(client())
    await remote.push(files)
    await client().send('PATCH', '/repositories/lessons', { auto_apps: true })
    const check = async () => {
      const { problem } = await client().get<RepositoryDocument>('/repositories/lessons')
      equal(problem, null, JSON.stringify(problem))
    }
    return await deploymentsAfter(client(), known, { count: apps, check })
  }

  /** What somebody sees who came by a link. */
  async function visitOf(app: string): Promise<string> {
    const { headers, path, ...place } = await visitorOf(client(), app)
    for (;;) {
      const { status, body } = await askHost(place, { headers, path })
      // 502: it ended a moment before, and the proxy waited in vain for its new start.
      if (status !== 503 && status !== 502) {
        return body
      }
      ok(status === 502 || /Starting/.test(body), body)
      await systemClock.sleep(100)
    }
  }

  const words = (ended: readonly DeploymentDetail[]) =>
    ended.map(each => `${each.app} ${each.kind} ${each.outcome ?? ''} ${each.error?.code ?? ''}`.trim())
  const containerOf = async (app: string) =>
    (await docker('ps', '--quiet', '--no-trunc', '--filter', `label=io.fairlead.app=${app}`)).trim()
  /** Of this system alone: others build at the same time. */
  const images = async () =>
    (await docker('images', '--format', '{{.Repository}}:{{.Tag}}'))
      .split('\n')
      .filter(name => name.startsWith(system.registry.address)).length

  before(async () => {
    system = await startSystem(resources)
    remote = await system.addRepository('lessons', { 'README.md': 'Lessons\n' })
    await client().send('DELETE', '/apps/lessons')
    environment = await makeNotebookBases(system, [smallBase(system.baseImage)])
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
        'b/nb.yaml': TEAM,
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

  test('a folder that moves has another app and address, the old one leads there, and others keep their names', async () => {
    const ended = await pushed(
      {
        'a/requirements.txt': null,
        'b/nb.yaml': null,
        'b/b.ipynb': null,
        'x/b/nb.yaml': TEAM,
        'x/b/b.ipynb': notebook('first b'),
      },
      4,
    )
    deepEqual(words(ended), [
      'a deploy nothing-to-do',
      'b deploy files-gone',
      'b remove removed',
      'x-b deploy deployed',
    ])
    equal(await containerOf('b'), '')
    const { items } = await client().get<{ items: AppDocument[] }>('/apps')
    deepEqual(items.map(({ name, target }) => `${name} ${target}`).sort(), ['a notebook', 'x-b notebook'])
    const { port } = await visitorOf(client(), 'x-b')
    const old = { host: 'b.localhost', port }
    for (;;) {
      const { status, headers } = await askHost(old, { path: '/lab/tree?reset' })
      if (status === 308) {
        equal(headers.location, `http://x-b.localhost:${port}/lab/tree?reset`)
        break
      }
      equal(status, 404)
      await systemClock.sleep(100)
    }
    equal((await askHost(old, { method: 'POST' })).status, 404)
  })

  test('a rollback brings the server of before back by its digest', async () => {
    await client().send('POST', '/apps/a/rollback', { wait_seconds: 120 })
    match(await visitOf('a'), /first a/)
  })

  test('shares a host once the administrator lets its team, is woken there, and leaves others where they are', async () => {
    const file = environment.FAIRLEAD_NOTEBOOKS_FILE ?? ''
    const said = JSON.parse(await readFile(file, 'utf8'))
    await writeFile(file, JSON.stringify({ ...said, mode: 'path' }))
    await system.restart({ environment })
    const { state, error } = await system.deploy('x-b')
    equal(state, 'succeeded', JSON.stringify(error))
    const { domains } = await client().get<AppDocument>('/apps/x-b')
    deepEqual(domains, ['notebooks.localhost/nb/x-b/'])
    match(await visitOf('x-b'), /first b/)
    equal((await system.visit('x-b.localhost')).status, 404)
    equal((await system.visit('a.localhost')).status, 401)
    await docker('stop', await containerOf('x-b'))
    match(await visitOf('x-b'), /first b/)
  })
})

function notebook(text: string): string {
  const cells = [{ cell_type: 'markdown', metadata: {}, source: [text] }]
  return JSON.stringify({
    cells,
    metadata: { kernelspec: { name: 'python3' } },
    nbformat: 4,
    nbformat_minor: 5,
  })
}
