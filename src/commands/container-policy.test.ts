import { doesNotReject, doesNotThrow, rejects, throws } from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import type { HostPolicy } from './command.ts'
import { SLEEP_LABEL } from './container-data.ts'
import { refuseForbiddenContainer, refuseForbiddenImage, refuseOverLimits } from './container-policy.ts'
import { testHands } from './recorded-hands.test.ts'

const GIB = 1024 ** 3
const LIMITS = { memoryBytes: 2 * GIB, cpus: 2, pids: 300, sharedMemoryBytes: GIB, idle: 3_600 }
const POLICY: HostPolicy = {
  ...{ mode: 'enforce', allowPrivate: [], registries: [], limits: LIMITS },
  ports: { from: 1024, to: 2048, never: [] },
}
const DATA = {
  ...{ app: 'churn', memoryBytes: 2 * GIB, cpus: 2, pids: 300 },
  labels: { [SLEEP_LABEL.idle]: '3600' },
  sandbox: { memoryFolders: [], token: true, sharedMemoryBytes: GIB },
}

test('X01 C35 an image from elsewhere gets in by what this host noted of its builds, not by its own labels', async () => {
  const id = (digit: string) => `sha256:${digit.repeat(64)}`
  const hands = testHands(
    [
      [`stat /workspace/built/${'a'.repeat(64)}`, {}],
      ['stat /workspace/built/', { missing: true }],
    ],
    {
      registries: ['registry.example'],
    },
  )
  const image = (digit: string) => ({
    ...{ id: id(digit), tags: [], digests: [] },
    labels: { 'io.fairlead.app': 'shop', 'io.fairlead.tree': 't-1' },
  })
  const reference = 'evil.example/shop:t-1'
  await rejects(refuseForbiddenImage(hands, { reference, image: image('b') }), {
    code: 'IMAGE_REGISTRY_REFUSED',
  })
  await doesNotReject(refuseForbiddenImage(hands, { reference: 'fairlead/shop:t-1', image: image('a') }))
  await doesNotReject(refuseForbiddenImage(hands, { reference: 'registry.example/x:1', image: image('b') }))
  await doesNotReject(refuseForbiddenImage(testHands([]), { reference, image: image('b') }))
})

test('a container that is started again is judged by the rules of now', async () => {
  const facts: ContainerFacts = {
    ...{ id: 'c', name: 'shop-1', labels: {}, state: 'exited', exitCode: 0, outOfMemory: false, error: '' },
    ...{ startedAt: '', restarts: 0, image: 'registry.example/shop:1', imageId: `sha256:${'b'.repeat(64)}` },
    ...{ memoryBytes: 0, health: 'none', healthLog: [], addresses: {}, hostPorts: ['1500'] },
    ...{ writesVolumes: false, ownVolumes: false },
  }
  const under = (policy: Partial<HostPolicy>) =>
    testHands([['stat /workspace/built/', { missing: true }]], { ...POLICY, ...policy })
  await doesNotReject(refuseForbiddenContainer(under({ registries: ['registry.example'] }), facts))
  await rejects(refuseForbiddenContainer(under({ ports: { from: 1600, to: 2048, never: [] } }), facts), {
    code: 'PORT_REFUSED',
  })
  await rejects(refuseForbiddenContainer(under({ registries: ['other.example'] }), facts), {
    code: 'IMAGE_REGISTRY_REFUSED',
  })
  const sandbox = {
    ...{ ...facts, labels: { [SLEEP_LABEL.idle]: '3600' } },
    ...{ memoryBytes: 2 * GIB, cpus: 2, pids: 300, sharedMemoryBytes: GIB },
  }
  await doesNotReject(refuseForbiddenContainer(under({}), sandbox))
  for (const over of [
    { memoryBytes: 2 * GIB + 1 },
    { memoryBytes: 0 },
    { cpus: 2.5 },
    { cpus: undefined },
    { pids: 301 },
    { pids: undefined },
    { sharedMemoryBytes: GIB + 1 },
    { labels: { [SLEEP_LABEL.idle]: '3601' } },
    { labels: { [SLEEP_LABEL.idle]: '0' } },
  ]) {
    const asked = { ...sandbox, ...over }
    await rejects(refuseForbiddenContainer(under({}), asked), { code: 'SANDBOX_OVER_LIMIT' })
    await doesNotReject(refuseForbiddenContainer(under({ limits: undefined }), asked))
  }
})

test('a host gives no more than its policy says to what people run anything in', () => {
  doesNotThrow(() => refuseOverLimits(POLICY, DATA))
  const { memoryBytes: _, ...unlimited } = DATA
  for (const over of [
    { ...DATA, memoryBytes: 2 * GIB + 1 },
    unlimited,
    { ...DATA, cpus: 2.5 },
    { ...DATA, pids: 301 },
    { ...DATA, sandbox: { ...DATA.sandbox, sharedMemoryBytes: GIB + 1 } },
    { ...DATA, labels: { [SLEEP_LABEL.idle]: '3601' } },
    { ...DATA, labels: { [SLEEP_LABEL.idle]: '0' } },
  ]) {
    throws(() => refuseOverLimits(POLICY, over), /this host gives at most/)
    doesNotThrow(() => refuseOverLimits({ ...POLICY, limits: undefined }, over))
  }
  const { sandbox: _sandbox, ...ordinary } = DATA
  doesNotThrow(() => refuseOverLimits(POLICY, { ...ordinary, memoryBytes: 64 * GIB }))
})
