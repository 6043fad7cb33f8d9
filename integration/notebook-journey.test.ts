import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { AppDocument } from '#contract/rest/apps.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import type { NotebookPackagesDocument } from '#contract/rest/notebooks.ts'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { mustRun } from './world/command.ts'
import { deploymentIds, deploymentsAfter } from './world/deployments-after.ts'
import { ask, execute, type NotebookServer } from './world/notebook-server.ts'
import { type NotebookSystem, startNotebookSystem } from './world/notebook-system.ts'
import { until } from './world/traces.ts'
import { visitorOf } from './world/visitor.ts'

const SECRET = 'of-the-pipeline'
const ME = newId().slice(-8)
const CHURN = `churn-${ME}`
const SALES = `sales-${ME}`
const SLOW = { timeout: 1_200_000 }

describe('notebooks from a push over SSH to a link that computes', () => {
  const stack = new AsyncDisposableStack()
  let world: NotebookSystem
  let newest = ''
  let author: NotebookServer
  const client = () => world.system.together().client
  const docker = (...args: string[]) => mustRun('docker', args, { folder: '/' })
  /** The newest first. */
  const containersOf = async (app: string) =>
    (await docker('ps', '--quiet', '--no-trunc', '--filter', `label=io.fairlead.app=${app}`))
      .trim()
      .split('\n')
  const containerOf = async (app: string) => (await containersOf(app))[0] ?? ''
  const inspected = async (thing: string) => JSON.parse(await docker('inspect', thing))[0]
  const layersOf = async (app: string): Promise<string[]> =>
    (await inspected((await inspected(await containerOf(app))).Image)).RootFS.Layers
  const textOf = async (app: string) =>
    (await ask(await visitorOf(client(), app), '/api/contents/project/analysis.ipynb')).body
  const words = (ended: readonly DeploymentDetail[]) =>
    ended.map(({ app, outcome, error }) => `${app} ${outcome} ${error?.message ?? ''}`.trim())

  before(async () => {
    const source = 'def times(a, b):\n    return a * b\n'
    world = await startNotebookSystem(stack, {
      packages: [{ name: 'tiny', version: '1.0', source }],
      environment: { AUTH_TOKEN: SECRET, FAIRLEAD_OBSERVE_SECONDS: '5' },
    })
    world.system.own(CHURN)
    world.system.own(SALES)
  }, SLOW)
  after(() => stack.disposeAsync(), SLOW)

  /** Pushes, tells of it, and gives how so many deployments ended that this asked for. */
  async function pushed(
    files: Readonly<Record<string, string | null>>,
    { tell = world.tellOf, count }: { tell?: (commit: string) => Promise<unknown>; count: number },
  ): Promise<DeploymentDetail[]> {
    const known = await deploymentIds(client())
    newest = await world.remote.push(files)
    await tell(newest)
    return await deploymentsAfter(client(), known, { count })
  }

  test(
    'R1 R2 R3 R6 R7 R8 R9 R10 R11 R12 two projects are built, pushed, served and linked, and a kernel uses what was installed',
    SLOW,
    async () => {
      const ended = await pushed(
        {
          [`${CHURN}/nb.yaml`]: 'title: Churn analysis\n',
          [`${CHURN}/requirements.txt`]: 'tiny==1.0\n',
          [`${CHURN}/analysis.ipynb`]: notebook('first words'),
          [`${SALES}/nb.yaml`]: '',
          [`${SALES}/analysis.ipynb`]: notebook('of sales'),
        },
        { count: 2 },
      )
      deepEqual(words(ended), [`${CHURN} deployed`, `${SALES} deployed`])
      const server = await visitorOf(client(), CHURN)
      equal(await execute(server, 'import tiny\nprint(tiny.times(6, 7))'), '42\n')
      author = server
      const stranger = { ...server, headers: {} }
      equal((await ask(stranger, '/api/contents')).status, 401)
      match(await textOf(SALES), /of sales/)
      ok((await inspected(await containerOf(CHURN))).Config.Image.startsWith(world.system.registry.address))

      const link = await world.committed(`${CHURN}/URL.md`, /nb:end/)
      match(
        link,
        new RegExp(`^# Churn analysis\\n[^]*\\[Churn analysis\\]\\(http://${CHURN}\\.localhost:[0-9]+/\\)`),
      )
      match(link, /"status":"live"/)
      // Nothing waited for it: it is asked when the link works.
      for (;;) {
        const path = `/notebooks/${CHURN}/packages`
        const { tool, packages } = await client().get<NotebookPackagesDocument>(path)
        if (tool !== null) {
          ok(packages.includes('tiny==1.0'), packages.join())
          break
        }
        await systemClock.sleep(100)
      }
      match(await world.committed(`${SALES}/URL.md`, /nb:end/), /"status":"live"/)
      match(
        await world.git('log', '-1', '--format=%s', 'main'),
        /^Update notebook links \(\d\) \[skip ci\]$/m,
      )
    },
  )

  test(
    'R4 R5 a job tells of a changed notebook with the shared token alone, and it is served without a build',
    SLOW,
    async () => {
      const [layers, other] = [await layersOf(CHURN), await containerOf(SALES)]
      const environments = async () =>
        (await docker('images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}'))
          .split('\n')
          .filter(line => line.startsWith(world.system.registry.address) && line.includes('/env:'))
          .sort()
      const made = await environments()
      const notify = async (token: string) =>
        await fetch(`${world.system.together().url}/notify`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ project: CHURN }),
        })
      equal((await notify('guessed')).status, 401)
      const tell = async () => equal((await notify(SECRET)).status, 202)
      const ended = await pushed(
        { [`${CHURN}/analysis.ipynb`]: notebook('second words') },
        { tell, count: 2 },
      )
      // It is looked at where it is not known whether it runs as it should.
      match(words(ended).join(), new RegExp(`^${CHURN} deployed,${SALES} (?:unaffected|nothing-to-do)$`))
      match(await textOf(CHURN), /second words/)
      equal(await containerOf(SALES), other)
      ok(made.length > 0)
      deepEqual(await environments(), made)
      const now = await layersOf(CHURN)
      deepEqual([now.length, now.slice(0, -1)], [layers.length, layers.slice(0, -1)])
      const log = await world.system.logOf(ended[0]?.id ?? '')
      match(log, /its files are added as a layer/)
      ok(!/pip install|Collecting/.test(log), log)

      // Whose kernel lives goes on with it, and is told of the new version when they open a page.
      match(log, /goes on beside the new version, because somebody works with it/)
      equal((await containersOf(CHURN)).length, 2)
      const asking = { ...author, headers: { ...author.headers, accept: 'application/json' } }
      equal(JSON.parse((await ask(asking, '/api/kernels')).body).length, 1)
      match((await ask(asking, '/api/contents/project/analysis.ipynb')).body, /first words/)
      const told = await ask(author, '/lab')
      equal(told.status, 300)
      match(told.body, /There is a newer version/)
      await world.committed(`${CHURN}/URL.md`, new RegExp(`\`${newest.slice(0, 12)}\``))
    },
  )

  test('R9 R10 what cannot be installed leaves the server as it is, and URL.md says why', SLOW, async () => {
    const [serving, served] = [await containerOf(CHURN), newest.slice(0, 12)]
    const [failed] = await pushed(
      {
        [`${CHURN}/requirements.txt`]: 'tiny==1.0\nnumpyy\n',
        [`${CHURN}/analysis.ipynb`]: notebook('third'),
      },
      { count: 2 },
    )
    deepEqual([failed?.app, failed?.state], [CHURN, 'failed'])
    equal(await containerOf(CHURN), serving)
    match(await textOf(CHURN), /second words/)
    const link = await world.committed(`${CHURN}/URL.md`, /"status":"failed"/)
    match(link, /\*\*Last error\*\* \| pip: no matching distribution for numpyy \(requirements\.txt:2\) \|/)
    match(link, new RegExp(`http://${CHURN}\\.localhost:[0-9]+/[^]*\`${served}\``))
  })

  test('R9 a server that refuses the token it was given is none, and what served goes on', SLOW, async () => {
    const serving = await containerOf(SALES)
    const ended = await pushed(
      { [`${SALES}/start`]: '#!/bin/sh\nJUPYTER_TOKEN=mine exec "$@"\n' },
      { count: 2 },
    )
    const failed = ended.find(({ app }) => app === SALES)
    deepEqual([failed?.state, failed?.error?.code], ['failed', 'CONTAINER_TOKEN_REFUSED'])
    match(failed?.error?.message ?? '', /\/api\/status answers with status 403/)
    equal(await containerOf(SALES), serving)
    match(await textOf(SALES), /of sales/)
  })

  test('R9 a server that nobody works with is stopped, and a visitor wakes it', SLOW, async () => {
    await pushed({ [`${SALES}/nb.yaml`]: IDLE, [`${SALES}/start`]: null }, { count: 2 })
    equal(await execute(await visitorOf(client(), SALES), 'print(6 * 7)'), '42\n')
    const server = await containerOf(SALES)
    // The worker looks once a minute.
    await until('it sleeps', async () => (await inspected(server)).State.Status === 'exited')
    const seen = async () => (await client().get<AppDocument>(`/apps/${SALES}`)).observed.state
    await until('it is seen asleep', async () => (await seen()) === 'asleep')
    match(await textOf(SALES), /It was stopped because nobody used it/)
    await until('it is awake', async () => /of sales/.test(await textOf(SALES)))
    equal(await containerOf(SALES), server)
  })
})

const IDLE = 'run: { idle: { server: 5s } }\n'

function notebook(text: string): string {
  const cells = [{ cell_type: 'markdown', metadata: {}, source: [text] }]
  const metadata = { kernelspec: { name: 'python3', display_name: 'Python 3' } }
  return JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 })
}
