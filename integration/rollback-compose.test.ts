import { deepEqual, equal, ok } from 'node:assert/strict'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { AppDocument, ReleaseDocument } from '#contract/rest/apps.ts'
import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'
import type { DriftDocument } from '#contract/rest/drift.ts'
import { command, mustRun } from './world/command.ts'
import { type Remote, type System, startSystem } from './world/system.ts'
import { until } from './world/traces.ts'

/** A project with a built service, a mounted file and an image that is not ours; then its source goes away. */
const APP = `backc-${process.pid}`
const FOREIGN = `${APP}/side:1`
const stack = new AsyncDisposableStack()
let system: System
let remote: Remote

before(async () => {
  system = await startSystem(stack, { environment: { FAIRLEAD_OBSERVE_SECONDS: '1' } })
  stack.defer(async () => void (await command('docker', ['rmi', '--force', FOREIGN], system)))
  await mustRun('docker', ['tag', system.baseImage, FOREIGN], system)
  remote = await system.addRepository(APP, files('one'))
  succeeded(await system.deploy(APP))
  await remote.push(files('two'))
  succeeded(await system.deploy(APP))
})
after(() => stack.disposeAsync())

test('a project that is stopped stays so, is no drift, and starts with the images that ran', async () => {
  await policy('repair')
  await mustRun('docker', ['exec', await containerOf('side'), 'sh', '-c', 'echo mine > /kept/file'], system)
  equal((await act('stop')).outcome, 'stopped')
  await system.restart({})
  await untilLookedAt()
  const { observed, stopped } = await system.together().client.get<AppDocument>(`/apps/${APP}`)
  deepEqual([observed.state, observed.reason], ['stopped', null])
  ok(stopped)
  deepEqual((await drift()).findings, [])
  equal(await containers('--filter', 'status=running'), '')
  equal((await system.visit(`${APP}.localhost`)).status, 404)
  const started = await act('start')
  succeeded(started)
  equal(await page(), 'two two')
  const [now, before] = await releases()
  deepEqual(now?.images, before?.images)
  equal((await containers('--filter', 'status=running')).split('\n').length, 2)
  const file = await mustRun('docker', ['exec', await containerOf('side'), 'cat', '/kept/file'], system)
  equal(file.trim(), 'mine', 'a volume without a name is taken over')
  equal((await inspect('side', '{{.HostConfig.RestartPolicy.Name}}')).trim(), 'always')
  ok(!started.steps.some(({ name }) => name === 'checkout'), 'no source is asked')
  await policy('report')
})

test('a stopped project whose next version fails stays stopped, and one that the host forgot is stopped too', async () => {
  equal((await act('stop')).outcome, 'stopped')
  await remote.push({ ...files('three'), 'web/Dockerfile': `FROM ${system.baseImage}\nCMD ["false"]\n` })
  const failed = await system.deploy(APP)
  deepEqual([failed.state, failed.outcome], ['failed', 'returned-to-previous'])
  equal(await containers('--filter', 'status=running'), '')
  ok((await system.together().client.get<AppDocument>(`/apps/${APP}`)).stopped)
  await remote.push(files('two'))
  succeeded(await act('start'))
  equal(await page(), 'two two')
  const file = await mustRun('docker', ['exec', await containerOf('side'), 'cat', '/kept/file'], system)
  equal(file.trim(), 'mine')
  equal((await inspect('side', '{{.HostConfig.RestartPolicy.Name}}')).trim(), 'always')
  await lose(['renders'])
  equal((await act('stop')).outcome, 'stopped')
  equal(await containers('--filter', 'status=running'), '')
  succeeded(await act('start'))
  equal(await page(), 'two two')
})

test('what was removed by hand is repaired on a host that lost what it kept of the release', async () => {
  await untilLookedAt()
  await lose(['renders', 'checkouts', 'repositories'])
  await policy('repair')
  await mustRun('docker', ['rm', '--force', `${APP}-web-1`], system)
  await until('it is repaired', async () => {
    const { items } = await system
      .together()
      .client.get<{ items: DeploymentDocument[] }>(`/deployments?app=${APP}&limit=1`)
    const [{ trigger, state, error } = {}] = items
    equal(error ?? null, null)
    return trigger?.kind === 'drift' && state === 'succeeded'
  })
  await policy('report')
  equal(await page(), 'two two')
})

test('a project comes back on a host that lost what it kept of the release, rendered anew from its commit', async () => {
  const kept = await releases()
  const [second, first] = [kept[0], kept.at(-1)]
  await until('it is known what runs', async () => (await drift()).deployment === second?.deployment)
  await lose(['renders', 'checkouts', 'repositories'])
  await until('the lost file is seen', async () =>
    (await drift()).findings.some(({ kind }) => kind === 'file'),
  )
  for (const [release, text] of [
    [first, 'one'],
    [second, 'two'],
  ] as const) {
    const back = await rollBack(release?.id)
    succeeded(back)
    equal(back.outcome, 'rolled-back')
    equal(await page(), `${text} ${text}`)
  }
  const again = await rollBack(second?.id)
  equal(again.outcome, 'nothing-to-do', 'what was rendered anew is kept')
})

test('a project comes back with image, files and foreign image of its time, without source, checkout and Git server', async () => {
  equal(await page(), 'two two')
  const [, first] = await releases()
  await remote.rewrite(files('three'))
  await system.gitServer.close()
  await lose(['checkouts', 'repositories'])
  const side = first?.images.find(image => image.name === 'side')
  const web = first?.images.find(image => image.name === 'web')
  ok(web?.pinned && side?.image_id, 'a release says which images it ran')
  await mustRun('docker', ['rmi', '--force', web.image_id ?? ''], system)
  await moveForeignTag()
  const db = await containerOf('side')
  const back = await rollBack(first?.id)
  succeeded(back)
  equal(back.outcome, 'rolled-back')
  equal(await page(), 'one one')
  equal((await inspect('side', '{{.Image}}')).trim(), side.image_id)
  ok((await containerOf('side')) !== db, 'its name means another image now, so it is made anew by its id')
  const again = await rollBack(first?.id)
  equal(again.outcome, 'nothing-to-do', 'the same release a second time changes nothing')
})

function files(text: string): Record<string, string> {
  return {
    'compose.yaml': `services:
  web:
    build: web
    init: true
    expose: [8080]
    volumes: ["./files:/files:ro"]
  side: { image: "${FOREIGN}", init: true, command: [sleep, "1000"], volumes: ["/kept"], restart: always }
`,
    'web/Dockerfile': `FROM ${system.baseImage}\nCOPY page /page\nCMD ["sh","-c","mkdir -p /tmp/w; echo $(cat /page) $(cat /files/text) > /tmp/w/index.html; exec httpd -f -p 8080 -h /tmp/w"]\n`,
    'web/page': text,
    'files/text': text,
  }
}

/** By a look that began after this call: what a deployment left is known then. */
async function untilLookedAt(): Promise<void> {
  for (const _ of ['the look that is under way', 'the next one']) {
    const { observed_at } = await drift()
    await until('it is looked at', async () => (await drift()).observed_at !== observed_at)
  }
}

/** Ids of the project's containers, a line each. */
async function containers(...only: string[]): Promise<string> {
  const project = ['--filter', `label=com.docker.compose.project=${APP}`, ...only]
  return (await mustRun('docker', ['ps', '--all', '--quiet', ...project], system)).trim()
}

const drift = () => system.together().client.get<DriftDocument>(`/apps/${APP}/drift`)

async function policy(drift: 'report' | 'repair'): Promise<void> {
  await system.together().client.send('PATCH', `/apps/${APP}`, { overrides: { drift } })
}

/** What a new disk would leave of these parts of the workspace: nothing. */
async function lose(parts: readonly string[]): Promise<void> {
  const paths = await readdir(system.folder, { recursive: true })
  const lost = paths.filter(path => parts.some(part => path.endsWith(`workspace/${part}`)))
  ok(lost.length > 0, `there is something of ${parts.join()}`)
  for (const path of lost) {
    await rm(join(system.folder, path), { recursive: true })
  }
}

/** Somebody pulls another image under the same name. */
async function moveForeignTag(): Promise<void> {
  const from = `FROM ${system.baseImage}\nLABEL moved=yes\n`
  await mustRun(
    'sh',
    ['-c', `printf '${from.replaceAll('\n', '\\n')}' | docker build -q -t ${FOREIGN} -`],
    system,
  )
}

async function containerOf(service: string): Promise<string> {
  return (await inspect(service, '{{.Id}}')).trim()
}

async function inspect(service: string, format: string): Promise<string> {
  return await mustRun('docker', ['inspect', '--format', format, `${APP}-${service}-1`], system)
}

async function page(): Promise<string> {
  return (await system.visit(`${APP}.localhost`)).body
}

async function releases(): Promise<ReleaseDocument[]> {
  const { client } = system.together()
  return (await client.get<{ items: ReleaseDocument[] }>(`/apps/${APP}/releases`)).items
}

async function act(verb: 'stop' | 'start'): Promise<DeploymentDetail> {
  const { client } = system.together()
  const { id } = await client.send<{ id: string }>('POST', `/apps/${APP}/${verb}`, { wait_seconds: 120 })
  return await client.get<DeploymentDetail>(`/deployments/${id}`)
}

async function rollBack(release: string | undefined): Promise<DeploymentDetail> {
  const { client } = system.together()
  const { id } = await client.send<{ id: string }>('POST', `/apps/${APP}/rollback`, {
    release,
    wait_seconds: 120,
  })
  return await client.get<DeploymentDetail>(`/deployments/${id}`)
}

function succeeded(deployment: DeploymentDetail): void {
  equal(deployment.state, 'succeeded', JSON.stringify(deployment.error))
}
