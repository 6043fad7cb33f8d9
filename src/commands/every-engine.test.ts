import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '#exec/call.ts'
import type { Answers } from '#exec/recorder.ts'
import { shown } from '#exec/shown.ts'
import { LABEL } from './container-data.ts'
import { hostCheck } from './host-check.ts'
import { hostPrune } from './host-prune.ts'
import { imageUsed } from './image-used.ts'
import { type TestHands, testHands } from './recorded-hands.test.ts'

/** Commands that are about a host as a whole look at each of its engines: its own, one that answers, one that does not. */
const ADDRESS = 'registry.example.org:5000'
const DIGEST = `sha256:${'1'.repeat(64)}`
const VERSION = { status: 200, json: { Version: '20.10.24', ApiVersion: '1.41' } }
const AWAY = { error: new Error('nobody answers there') }

test('R42 R43 every engine tells what its containers and services are made from, and one that is away is named', async () => {
  const hands = handsWith([
    [on('/far.sock', 'GET docker /containers/json'), { status: 200, json: [{ Id: 'c', ImageID: 'i' }] }],
    [
      on('/far.sock', 'GET docker /images/json'),
      {
        status: 200,
        json: [
          { Id: 'i', RepoTags: null, RepoDigests: [`${ADDRESS}/shop@${DIGEST}`], Created: 1 },
          { Id: 'unused', RepoTags: [`${ADDRESS}/shop:t-2`], RepoDigests: [], Created: 1 },
        ],
      },
    ],
    [on('/far.sock', 'GET docker /services'), services(`${ADDRESS}/elsewhere:3@${DIGEST}`, 'busybox')],
    [on('/run/docker.sock', 'GET docker /'), { status: 200, json: [] }],
  ])
  const { names, engines } = await imageUsed.run(hands, {})
  deepEqual(names, [`${ADDRESS}/shop@${DIGEST}`, `${ADDRESS}/elsewhere:3@${DIGEST}`])
  deepEqual(
    engines.map(each => [each.name, each.problem === null]),
    [
      ['local', true],
      ['far', true],
      ['away', false],
    ],
  )
})

test('R42 R43 each engine is pruned by what it holds itself; one that is away loses nothing and holds up no other', async () => {
  const hands = handsWith([
    [on('/run/docker.sock', 'GET docker /system/df'), usage('old', 'shop')],
    [on('/far.sock', 'GET docker /system/df'), usage('old', 'shop', 'old')],
  ])
  const { engines, problems } = await hostPrune.run(hands, PRUNE)
  deepEqual(
    engines.map(({ engine, images, kept }) => [engine, images.map(({ id }) => id), kept.length]),
    [
      ['local', ['old'], 0],
      ['far', [], 1],
    ],
  )
  equal(problems[0]?.engine, 'away')
  match(problems[0]?.problem ?? '', /nobody answers there/)
})

test('on an engine for some apps only their images are ours, also when everything unused is asked for', async () => {
  const hands = handsWith(
    [
      [on('/run/docker.sock', 'GET docker /system/df'), usage('old', 'blog')],
      [on('/far.sock', 'GET docker /system/df'), usage('old', 'blog')],
    ],
    { apps: ['shop'] },
  )
  const { engines } = await hostPrune.run(hands, { ...PRUNE, allUnused: true })
  deepEqual(
    engines.map(({ engine, images }) => [engine, images.length]),
    [
      ['local', 1],
      ['far', 0],
    ],
  )
})

test('a prune of a host none of whose engines answers fails in the words of its own', async () => {
  const hands = handsWith([['GET docker /version', AWAY]])
  await rejects(hostPrune.run(hands, PRUNE), /nobody answers there/)
})

test('R42 R99 the check of a host names every engine of it that is not well', async () => {
  const refusal = { status: 500, json: { message: 'x509: certificate signed by unknown authority' } }
  const hands = handsWith([
    [on('/far.sock', 'POST docker /auth'), refusal],
    [on('/run/away.sock', 'POST docker /auth'), AWAY],
    ['POST docker /auth', { status: 200, json: {} }],
    ['git version', { stdout: 'git version 2.39.5\n' }],
    ['docker compose version', { stdout: '2.26.1\n' }],
    [
      'stat ',
      { missing: false, kind: 'folder', disk: { freeBytes: 5e9, bytes: 1e10, freeInodes: 1, inodes: 1 } },
    ],
  ])
  const registry = { address: ADDRESS, username: 'fairlead', password: 'x' }
  const { checks } = await hostCheck.run(hands, { registry })
  const wrong = checks.filter(({ mend }) => mend !== null)
  deepEqual(
    wrong.map(({ name }) => name),
    ['engine away', 'registry far', 'registry away'],
  )
  match(wrong[1]?.mend ?? '', /certs\.d\/registry\.example\.org:5000\/ca\.crt on its machine/)
})

const PRUNE = {
  ...{ ours: ['shop', 'blog'], present: [], keep: [], allUnused: false, youngerThanMs: 0, dryRun: true },
  buildCache: { hours: 24, bytes: 0 },
}

function usage(id: string, app: string, used?: string) {
  const image = {
    Id: id,
    RepoTags: [`${id}:t-${'0'.repeat(32)}`],
    Labels: { [LABEL.app]: app },
    Created: -1,
    Size: 1,
  }
  const containers = used === undefined ? [] : [{ Id: 'c', Names: ['/c'], ImageID: used, State: 'running' }]
  return { status: 200, json: { Images: [image], Containers: containers, LayersSize: 1 } }
}

function services(...images: string[]) {
  const json = images.map(Image => ({ Spec: { TaskTemplate: { ContainerSpec: { Image } } } }))
  return { status: 200, json }
}

function on(socket: string, begins: string) {
  return (call: Call<unknown>) =>
    call.kind === 'request' &&
    JSON.stringify(call.engine).includes(`"${socket}"`) &&
    shown(call).startsWith(begins)
}

function handsWith(answers: Answers, rules: { readonly apps?: readonly string[] } = {}): TestHands {
  const hands = testHands([
    ...answers,
    [on('/run/away.sock', 'GET docker /version'), AWAY],
    ['GET docker /version', VERSION],
  ])
  const engines = [
    { name: 'local', address: '/run/docker.sock', labels: {} },
    { name: 'far', address: '/far.sock', labels: {}, ...rules },
    { name: 'away', address: '/run/away.sock', labels: {} },
  ]
  return { ...hands, host: { ...hands.host, engines } }
}
