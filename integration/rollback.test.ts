import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { dirname } from 'node:path'
import { after, before, test } from 'node:test'
import { startGitServer } from '#cli/demo/git-server.ts'
import type { ReleaseDocument } from '#contract/rest/apps.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import { command, mustRun } from './world/command.ts'
import { hint } from './world/hint.ts'
import { type Remote, type System, startSystem } from './world/system.ts'
import { until } from './world/traces.ts'

/** One app of which several releases are made; then the world that they came from goes away piece by piece. */
const APP = `back-${process.pid}`
const stack = new AsyncDisposableStack()
let system: System
let remote: Remote

before(async () => {
  system = await startSystem(stack)
  remote = await system.addRepository(APP, files('one'))
  await secret('first')
  succeeded(await system.deploy(APP))
  await secret('second')
  await remote.push(files('two'))
  succeeded(await system.deploy(APP))
})
after(() => stack.disposeAsync())

test('a release comes back without a build, with the secrets of its time, after its commit was rewritten away', async () => {
  await remote.rewrite(files('three'))
  succeeded(await system.deploy(APP))
  equal(await page(), 'three second')
  const [, , first] = await releases()
  const back = await rollBack({ release: first?.id })
  succeeded(back)
  equal(back.outcome, 'rolled-back')
  equal(back.commit, first?.commit)
  equal(await page(), 'one first')
  deepEqual(stepsOf(back), ['retrieve', 'plan', 'apply', 'verify', 'route', 'announce', 'prune'])
})

test('an app that is stopped answers nobody, lets a push wait, and starts with the release that ran', async () => {
  const shown = await page()
  const [running] = await releases()
  const stop = await act('stop')
  deepEqual([stop.state, stop.outcome, stepsOf(stop)], ['succeeded', 'stopped', ['stop']])
  equal((await system.visit(`${APP}.localhost`)).status, 404)
  equal(await mustRun('docker', ['ps', '--all', '--quiet', '--filter', `name=${APP}`], system), '')
  const started = await act('start')
  succeeded(started)
  equal(await page(), shown)
  const [again] = await releases()
  deepEqual(
    [again?.restored_from ?? again?.id, again?.commit],
    [running?.restored_from ?? running?.id, running?.commit],
  )
  ok(!stepsOf(started).includes('build'))
})

test('a hint to look at the same commit leaves a rollback alone; a new commit ends it', async () => {
  const tip = (await system.deploy(APP)).commit
  equal(await page(), 'three second')
  succeeded(await rollBack({}))
  equal(await page(), 'one first')
  const hinted = await hint(system.together(), APP)
  deepEqual([hinted.state, hinted.outcome, hinted.commit], ['succeeded', 'held-by-rollback', tip])
  equal(await page(), 'one first')
  await remote.push(files('four'))
  equal((await hint(system.together(), APP)).outcome, 'deployed')
  equal(await page(), 'four second')
})

test('going back twice leads to the release before the one that came back, not to the same two', async () => {
  const kept = await releases()
  succeeded(await rollBack({}))
  equal(await page(), 'one first')
  equal((await releases())[0]?.restored_from, kept[1]?.restored_from ?? kept[1]?.id)
  succeeded(await rollBack({}))
  equal(await page(), 'four second')
})

test('R26 a release that was built and pushed comes back from the registry by digest after its image was deleted, with the Git server down', async () => {
  const [current, other] = await distinctReleases()
  const { username, password, repositoriesFolder } = system.gitServer
  const port = Number(new URL(system.gitServer.url(APP)).port)
  await system.gitServer.close()
  await forgetImages(other)
  const back = await rollBack({ release: other?.id })
  succeeded(back)
  ok(stepsOf(back).includes('build'), 'what was deleted is fetched in the step build')
  await untilSeen(other)
  await forgetImages(current)
  succeeded(await rollBack({ release: current?.id }))
  await untilSeen(current)
  stack.defer((await startGitServer({ folder: dirname(repositoriesFolder), username, password, port })).close)
})

test('images of the last five releases stay on the host, older ones go and still come back from the registry', async () => {
  for (const text of ['five', 'six', 'seven', 'eight', 'nine']) {
    await remote.push(files(text))
    succeeded(await system.deploy(APP))
  }
  const byImage = new Map<string, ReleaseDocument>()
  for (const release of (await releases()).toReversed()) {
    const image = release.images[0]?.image_id ?? ''
    byImage.delete(image)
    byImage.set(image, release)
  }
  const newestFirst = [...byImage].toReversed()
  const isHere = async ([image]: [string, unknown]) =>
    (await command('docker', ['image', 'inspect', image], system)).code === 0
  deepEqual(await Promise.all(newestFirst.slice(0, 5).map(isHere)), [true, true, true, true, true])
  // What was the fifth when the last one was deployed may stay until the next.
  const older = newestFirst.slice(6)
  deepEqual(await Promise.all(older.map(isHere)), [false, false, false])
  const [, oldest] = older.at(0) ?? []
  succeeded(await rollBack({ release: oldest?.id }))
  equal(await page(), 'one first')
})

test('without a registry a release comes back from the images of its host, and one whose image is gone says what to do', async () => {
  await system.restart({ registry: undefined })
  for (const text of ['ten', 'eleven']) {
    await remote.push(files(text))
    succeeded(await system.deploy(APP))
  }
  const [eleven, ten] = await releases()
  stack.defer(() => removeImages([ten, eleven]))
  deepEqual(
    [ten, eleven].map(release => release?.images[0]?.pinned),
    [null, null],
  )
  succeeded(await rollBack({ release: ten?.id }))
  equal(await page(), 'ten second')
  await removeImages([eleven])
  const { state, failed_step, error } = await rollBack({ release: eleven?.id })
  deepEqual([state, failed_step, error?.code], ['failed', 'plan', 'RELEASE_IMAGE_GONE'])
  match(error?.hint ?? '', /fairlead deploy --commit.*FAIRLEAD_REGISTRY/)
  equal(await page(), 'ten second')
})

function files(text: string): Record<string, string> {
  return {
    Dockerfile: `FROM ${system.baseImage}\nCOPY page /www/page\nEXPOSE 8080\nCMD ["sh","-c","echo $(cat /www/page) $SECRET > /www/index.html; exec httpd -f -p 8080 -h /www"]\n`,
    page: text,
    'fairlead.yaml': `version: 1\napps:\n  ${APP}:\n    target: container\n    drain: 0s\n    environment: { SECRET: $WORD }\n`,
  }
}

async function secret(value: string): Promise<void> {
  await system.together().client.send('PUT', `/apps/${APP}/secrets/WORD`, { value })
}

async function page(): Promise<string> {
  return (await system.visit(`${APP}.localhost`)).body
}

async function act(verb: 'stop' | 'start'): Promise<DeploymentDetail> {
  const { client } = system.together()
  const { id } = await client.send<{ id: string }>('POST', `/apps/${APP}/${verb}`, { wait_seconds: 120 })
  return await client.get<DeploymentDetail>(`/deployments/${id}`)
}

async function rollBack(body: { readonly release?: string | undefined }): Promise<DeploymentDetail> {
  const { client } = system.together()
  const { id } = await client.send<{ id: string }>('POST', `/apps/${APP}/rollback`, {
    ...body,
    wait_seconds: 120,
  })
  return await client.get<DeploymentDetail>(`/deployments/${id}`)
}

async function releases(): Promise<ReleaseDocument[]> {
  const { items } = await system.together().client.get<{ items: ReleaseDocument[] }>(`/apps/${APP}/releases`)
  return items
}

/** What runs, and the newest release that is another. */
async function distinctReleases(): Promise<ReleaseDocument[]> {
  const [newest, ...others] = await releases()
  const originOf = (each: ReleaseDocument | undefined) => each?.restored_from ?? each?.id
  const other = others.find(each => originOf(each) !== originOf(newest))
  return [newest, other].filter(each => each !== undefined)
}

/** Until the image of this release is what is seen to serve. */
async function untilSeen(release: ReleaseDocument | undefined): Promise<void> {
  const wanted = /sha256:[0-9a-f]{64}/.exec(release?.images[0]?.pinned ?? '')?.[0]
  ok(wanted)
  await until(`${wanted} serves`, async () => {
    const { observed } = await system.together().client.get<{ observed: unknown }>(`/apps/${APP}/containers`)
    return JSON.stringify(observed).includes(`${wanted}"`)
  })
}

/** As "docker image prune --all" does, but only to this app's. */
async function forgetImages(release: ReleaseDocument | undefined): Promise<void> {
  ok(release && release.images.length > 0)
  for (const image of release.images) {
    await mustRun('docker', ['rmi', '--force', image.image_id ?? ''], system)
    equal((await command('docker', ['image', 'inspect', image.pinned ?? ''], system)).code, 1)
  }
}

async function removeImages(ofReleases: readonly (ReleaseDocument | undefined)[]): Promise<void> {
  for (const image of ofReleases.flatMap(release => release?.images ?? [])) {
    await command('docker', ['rmi', '--force', image.image_id ?? ''], system)
  }
}

function stepsOf({ steps }: DeploymentDetail): string[] {
  return steps.filter(step => step.state === 'done').map(step => step.name)
}

function succeeded(deployment: DeploymentDetail): void {
  equal(deployment.state, 'succeeded', JSON.stringify(deployment.error))
}
