import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import { arrange } from './compose-arrange.ts'
import { OWN_KEY, type Render } from './compose-model.ts'
import { LABEL } from './container-data.ts'

const IMAGES = new Map([['img', 'sha256:now']])
const NETWORK = 'fairlead'

describe('what is there is arranged', () => {
  test('for a first start: everything is made', () => {
    assert.deepEqual(arranged([]), { ...NOTHING, inPlace: ['web', 'db', 'worker'] })
  })

  test('when nothing changed: nothing', () => {
    assert.deepEqual(arranged([...REST, one('web', 'new')]), NOTHING)
  })

  test('with a new container beside the old one', () => {
    const old = one('web', 'old', { ip: '10.0.0.2' })
    assert.deepEqual(arranged([...REST, old]), { ...NOTHING, replaced: ['web-old'], scale: { web: 2 } })
  })

  test('in place when the plan does not say beside, or there is nothing running to stand beside', () => {
    const place = { ...NOTHING, inPlace: ['web'], restart: ['worker'] }
    assert.deepEqual(arranged([...REST, one('web', 'old')], { beside: [] }), place)
    assert.deepEqual(arranged([...REST, one('web', 'old', { state: 'exited' })]), place)
  })

  test('in the same way when the new container was made before and the old one still stands by', () => {
    const old = one('web', 'old', { ip: '10.0.0.2' })
    for (const state of ['created', 'running', 'exited']) {
      const found = arranged([...REST, old, one('web', 'new', { state })])
      assert.deepEqual(found, { ...NOTHING, replaced: ['web-old'] }, state)
    }
  })

  test('so that who serves stays, and what an earlier attempt left goes', () => {
    const lost = one('web', 'lost', { startedAt: '1' })
    const old = one('web', 'old', { ip: '10.0.0.2', startedAt: '2' })
    assert.deepEqual(arranged([...REST, lost, old]), {
      ...NOTHING,
      replaced: ['web-old'],
      leftovers: ['web-lost'],
      scale: { web: 2 },
    })
  })

  test('so that what depends on a service that is made in its place is started again, over any number of steps', () => {
    const [, worker] = REST
    const found = arranged([one('db', 'old'), worker, one('web', 'old')])
    assert.deepEqual(found, {
      ...NOTHING,
      replaced: ['web-old'],
      scale: { web: 2 },
      inPlace: ['db'],
      restart: ['worker'],
    })
    const without = arranged([one('db', 'old'), worker, one('web', 'new')], { beside: [] })
    assert.deepEqual(without, { ...NOTHING, inPlace: ['db'], restart: ['web', 'worker'] })
  })

  test('so that a service that left the files serves on, unless it holds what the new ones may need', () => {
    const gone = one('gone', 'old', { ip: '10.0.0.9' })
    const all = [...REST, one('web', 'new')]
    assert.deepEqual(arranged([...all, gone]), { ...NOTHING, replaced: ['gone-old'] })
    for (const change of [{ hostPorts: ['80'] }, { writesVolumes: true }, { addresses: {} }]) {
      assert.deepEqual(arranged([...all, { ...gone, ...change }]), { ...NOTHING, leftovers: ['gone-old'] })
    }
  })

  test('so that what was changed by hand counts as outdated, whatever its label says', () => {
    const changed = one('web', 'new', { ip: '10.0.0.2' })
    assert.deepEqual(arranged([...REST, changed], { remade: [changed.id] }), {
      ...NOTHING,
      replaced: ['web-new'],
      scale: { web: 2 },
    })
    const inPlace = arranged([...REST, changed], { beside: [], remade: [changed.id] })
    assert.deepEqual(inPlace, { ...NOTHING, inPlace: ['web'], restart: ['worker'] })
  })

  test('with as many new ones beside as there shall be', () => {
    const old = ['1', '2', '3'].map(number => one('web', `old${number}`, { startedAt: number }))
    const found = arranged([...REST, ...old, one('web', 'new')], { replicas: 2 })
    assert.deepEqual(found, {
      ...NOTHING,
      replaced: ['web-old1', 'web-old2'],
      leftovers: ['web-old3'],
      scale: { web: 4 },
    })
  })
})

const REST = [one('db', 'new'), one('worker', 'new')] as const
const NOTHING = { replaced: [], leftovers: [], inPlace: [], scale: {}, restart: [] }

/** web depends on db, worker on web. */
function arranged(
  containers: readonly ContainerFacts[],
  {
    beside = ['web'],
    replicas = 1,
    remade = [],
  }: { beside?: readonly string[]; replicas?: number; remade?: readonly string[] } = {},
) {
  const service = (dependsOn: object, count = 1) => ({
    image: 'img',
    scale: count,
    depends_on: dependsOn,
    labels: { [LABEL.config]: 'new' },
  })
  const render: Render = {
    services: {
      web: service({ db: { condition: 'service_started' } }, replicas),
      db: service({}),
      worker: service({ web: { condition: 'service_started' } }),
    },
    [OWN_KEY]: { app: 'shop', routes: [], mounts: {} },
  }
  const serving = ['10.0.0.2', '10.0.0.9']
  const { replaced, leftovers, ...rest } = arrange(render, {
    ...{ containers, imageIds: IMAGES, beside, remade, serving, network: NETWORK },
  })
  const names = (each: readonly ContainerFacts[]) => each.map(({ name }) => name)
  return { ...rest, replaced: names(replaced), leftovers: names(leftovers) }
}

function one(
  service: string,
  config: string,
  { ip = '10.0.0.7', ...changes }: Partial<ContainerFacts> & { ip?: string } = {},
): ContainerFacts {
  return {
    ...{ id: `${service}-${config}`, name: `${service}-${config}`, state: 'running', startedAt: '5' },
    labels: { 'com.docker.compose.service': service, [LABEL.config]: config },
    ...{
      exitCode: 0,
      outOfMemory: false,
      memoryBytes: 0,
      error: '',
      restarts: 0,
      imageId: 'sha256:now',
      image: 'img',
    },
    ...{ health: 'none', healthLog: [], hostPorts: [], writesVolumes: false, ownVolumes: false },
    addresses: { [NETWORK]: ip },
    ...changes,
  }
}
