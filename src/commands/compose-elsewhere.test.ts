import { deepEqual, rejects } from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { OWN_KEY, type OwnPart, renderText } from './compose-model.ts'
import { composeRecall } from './compose-recall.ts'
import { composeRender } from './compose-render.ts'
import { keepRender } from './compose-store.ts'
import { ENGINE_HAS_NO_FILES, ENGINE_HAS_NO_ROUTES } from './engine-errors.ts'
import { testHands } from './recorded-hands.test.ts'
import { handsOnEngines } from './test-engines.ts'

async function aHost(context: TestContext) {
  const workspace = await mkdtemp(join(tmpdir(), 'elsewhere-'))
  context.after(() => rm(workspace, { recursive: true }))
  const on = handsOnEngines(testHands([]), workspace, [
    { name: 'local', id: 'L' },
    { name: 'side', id: 'S' },
    { name: 'far', id: 'F', facts: { address: 'tcp://10.0.0.5:2376' } },
  ])
  /** A release of the time when the app was on the host's own engine. */
  const kept = async (own: Partial<OwnPart>, mounted?: string) => {
    const volumes = mounted === undefined ? [] : [{ source: `${workspace}/renders/shop/files/${mounted}` }]
    const render = {
      services: { web: { image: 'a:1', volumes } },
      [OWN_KEY]: { app: 'shop', routes: [], mounts: {}, ...own },
    }
    const hash = await keepRender(on(), 'shop', { text: renderText(render) })
    return { project: 'shop', render: hash, sharedVolumes: [] }
  }
  return { on, kept }
}

const ROUTE = { name: 'shop', host: 'shop.example.org', service: 'web', port: 80, ips: ['10.1.0.2'] }

test('R42 routes of a Compose app on another engine are refused with what to do, before Compose is asked', async context => {
  const { on } = await aHost(context)
  const data = {
    ...{ app: 'shop', project: 'shop', repository: 'r', commit: 'c'.repeat(40), files: ['compose.yaml'] },
    ...{ variables: {}, secrets: {}, routes: [{ service: 'web', port: 80 }], sharedVolumes: [] },
  }
  await rejects(composeRender.run(on('side'), data), {
    code: 'ENGINE_HAS_NO_ROUTES',
    message: /"side" cannot have routes: web/,
    hint: /routes: \[\]/,
  })
})

test('R42 a release with routes, or with files of this machine, cannot be gone back to on an engine where they cannot work', async context => {
  const { on, kept } = await aHost(context)
  const routed = await kept({ routes: [ROUTE] as never })
  await rejects(composeRecall.run(on('side'), routed), ENGINE_HAS_NO_ROUTES.matches)
  const secret = await kept({}, 'a-secret')
  await rejects(composeRecall.run(on('far'), secret), ENGINE_HAS_NO_FILES.matches)
  const { release } = await composeRecall.run(on('side'), secret)
  deepEqual(release?.render, secret.render)
})
