import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { AppDocument } from '#contract/rest/apps.ts'
import { systemClock } from '#lib/clock.ts'
import { mustRun } from './world/command.ts'
import { type EngineGate, openEngineGate } from './world/engine-gate.ts'
import { type System, startSystem } from './world/system.ts'
import { temporaryFolder } from './world/temporary-folder.ts'

/** What the API says of an app, while somebody changes it by hand and while nobody can look. */
const stack = new AsyncDisposableStack()
const APP = `seen-${process.pid}`
let gate: EngineGate
let system: System

before(async () => {
  gate = await openEngineGate(join(await temporaryFolder(stack), 'engine.sock'))
  stack.defer(gate.close)
  system = await startSystem(stack, {
    dockerSocket: gate.path,
    environment: { FAIRLEAD_OBSERVE_SECONDS: '1' },
  })
  await system.addRepository(APP, {
    Dockerfile: `FROM ${system.baseImage}\nEXPOSE 8080\nCMD ["httpd","-f","-p","8080"]\n`,
  })
  assert.equal((await system.deploy(APP)).state, 'succeeded')
})

after(() => stack.disposeAsync())

test('R70 an app that runs is shown with age and evidence', async () => {
  const { observed } = await becomes('running')
  assert.equal(observed.containers, 1)
  assert.ok((observed.age_seconds ?? 99) < 60)
  const { client } = system.together()
  const seen = await client.get<{ observed: { containers: { id: string; imageId: string }[] } }>(
    `/apps/${APP}/containers`,
  )
  const ids = await mustRun(
    'docker',
    ['ps', '--quiet', '--no-trunc', '--filter', `label=io.fairlead.app=${APP}`],
    {
      folder: system.folder,
    },
  )
  assert.deepEqual(
    seen.observed.containers.map(({ id }) => id),
    [ids.trim()],
  )
  assert.match(seen.observed.containers[0]?.imageId ?? '', /^sha256:/)
})

test('a container that is stopped by hand is seen stopped, and running again when it is started', async () => {
  const [id = ''] = await containers()
  await mustRun('docker', ['stop', '--time=1', id], { folder: system.folder })
  assert.match((await becomes('stopped')).observed.reason ?? '', /is exited/)
  await mustRun('docker', ['start', id], { folder: system.folder })
  await becomes('running')
})

test('a container that was changed by hand is named, and the next deployment makes it anew', async () => {
  const [id = ''] = await containers()
  await mustRun('docker', ['update', '--cpu-shares=77', id], { folder: system.folder })
  const { drift } = await until(each => each.drift.findings > 0)
  assert.match(drift.reason ?? '', /has 77 for "cpu shares" and not 0/)
  assert.equal((await system.deploy(APP)).outcome, 'deployed')
  await until(each => each.drift.state === 'none')
  assert.notDeepEqual(await containers(), [id])
  assert.equal((await system.deploy(APP)).outcome, 'nothing-to-do')
})

test('an app is "unknown" with the reason while the engine is down', async () => {
  await gate.close()
  try {
    assert.match((await becomes('unknown')).observed.reason ?? '', /engine/i)
  } finally {
    await gate.open()
  }
  await becomes('running')
})

async function containers(): Promise<string[]> {
  const text = await mustRun('docker', ['ps', '--quiet', '--filter', `label=io.fairlead.app=${APP}`], {
    folder: system.folder,
  })
  return text.split('\n').filter(Boolean)
}

async function becomes(state: string): Promise<AppDocument> {
  return await until(app => app.observed.state === state)
}

async function until(isIt: (app: AppDocument) => boolean): Promise<AppDocument> {
  for (let tries = 0; ; tries++) {
    const app = await system.together().client.get<AppDocument>(`/apps/${APP}`)
    if (isIt(app)) {
      return app
    }
    assert.ok(tries < 120, JSON.stringify([app.observed, app.drift]))
    await systemClock.sleep(250)
  }
}
