import { equal, ok } from 'node:assert/strict'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { ReleaseDocument } from '#contract/rest/apps.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import { command, mustRun } from './world/command.ts'
import { type Remote, type System, startSystem } from './world/system.ts'

/** A project with a built service, a mounted file and an image that is not ours; then its source goes away. */
const APP = `backc-${process.pid}`
const FOREIGN = `${APP}/side:1`
const stack = new AsyncDisposableStack()
let system: System
let remote: Remote

before(async () => {
  system = await startSystem(stack)
  stack.defer(async () => void (await command('docker', ['rmi', '--force', FOREIGN], system)))
  await mustRun('docker', ['tag', system.baseImage, FOREIGN], system)
  remote = await system.addRepository(APP, files('one'))
  succeeded(await system.deploy(APP))
  await remote.push(files('two'))
  succeeded(await system.deploy(APP))
})
after(() => stack.disposeAsync())

test('a project comes back on a host that lost what it kept of the release, rendered anew from its commit', async () => {
  const [second, first] = await releases()
  await lose(['renders'])
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
  side: { image: "${FOREIGN}", init: true, command: [sleep, "1000"] }
`,
    'web/Dockerfile': `FROM ${system.baseImage}\nCOPY page /page\nCMD ["sh","-c","mkdir -p /tmp/w; echo $(cat /page) $(cat /files/text) > /tmp/w/index.html; exec httpd -f -p 8080 -h /tmp/w"]\n`,
    'web/page': text,
    'files/text': text,
  }
}

/** What a new disk would leave of these parts of the workspace: nothing. */
async function lose(parts: readonly string[]): Promise<void> {
  for (const part of parts) {
    const folders = (await readdir(system.folder, { recursive: true })).filter(path =>
      path.endsWith(`workspace/${part}`),
    )
    ok(folders.length > 0, `there are ${part}`)
    for (const folder of folders) {
      await rm(join(system.folder, folder), { recursive: true })
    }
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
