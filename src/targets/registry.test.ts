import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandNamed } from '#commands/index.ts'
import { problemsOf } from '#lib/check.ts'
import { registry } from './registry.ts'
import { type RegistrySettings, registryHash } from './registry-settings.ts'
import type { PlanInput } from './target.ts'
import { aContainer, commandsOf } from './test-container.ts'

const SETTINGS: RegistrySettings = {
  name: 'registry.example.org',
  port: 5000,
  image: 'registry',
  username: 'fairlead',
  certificate: '-----BEGIN CERTIFICATE-----\n',
  self_signed: true,
}
const SECRETS = { KEY: '-----BEGIN PRIVATE KEY-----\n', PASSWORD: 'secret', ACCOUNTS: 'fairlead:$2b$05$x\n' }
const WANTED = registryHash(SETTINGS, SECRETS)

function input(found: object, changes: object = {}): PlanInput<never> {
  const source = { commit: 'c'.repeat(40), branch: '', repository: '', texts: {}, paths: [] }
  const app = { name: 'registry', baseDomain: 'localhost' }
  const given = { settings: SETTINGS, secrets: SECRETS, deployment: 'new', source, app, registry: undefined }
  return { ...given, previous: undefined, found: { registry: found }, ...changes } as never
}

test('a registry is made where there is none, and its account and certificate are tried', () => {
  const plan = registry.plan(input({ containers: [], fault: 'no container of it runs' }))
  assert.deepEqual(commandsOf(plan).apply, ['registry.serve'])
  assert.deepEqual(commandsOf(plan).verify, ['registry.observe'])
  const data = plan.apply[0]?.data ?? {}
  assert.deepEqual(problemsOf(commandNamed('registry.serve').data, data), [])
  // Without a tag the engine would fetch every tag there is.
  assert.equal(data.image, 'registry:latest')
})

test('what runs as wanted and answers is left alone; a change, a fault, a leftover or drift is not', () => {
  const present = aContainer({ configHash: WANTED })
  const settled = { containers: [present], fault: null }
  assert.equal(registry.plan(input(settled)).nothingToDo, true)
  const secrets = { ...SECRETS, PASSWORD: 'another' }
  const drifted = { containers: [present.id], routes: [], files: [] }
  for (const [found, changes] of [
    [settled, { secrets }],
    [settled, { settings: { ...SETTINGS, port: 5001 } }],
    [settled, { drifted }],
    [{ ...settled, fault: 'it answers 500' }, {}],
    [{ ...settled, containers: [present, aContainer({ id: 'left', state: 'exited' })] }, {}],
    [{ ...settled, containers: [{ ...present, state: 'exited' }] }, {}],
  ] as const) {
    const plan = registry.plan(input(found, changes))
    assert.deepEqual([plan.nothingToDo, commandsOf(plan).apply], [false, ['registry.serve']])
  }
})

test('its images stay when it is taken down, unless somebody wants them gone', () => {
  const app = { name: 'registry', baseDomain: 'localhost' }
  for (const volumes of ['keep', 'delete'] as const) {
    const [containers, files] = registry.remove({ app, volumes })
    assert.deepEqual([containers?.data.volumes, files?.command], [volumes, 'registry.forget'])
  }
})
