import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer } from '#exec/recorder.ts'
import { SYSTEM_KEY } from '#programs/incus-system.ts'
import type { Hands } from './command.ts'
import { type TestHands, testHands } from './recorded-hands.test.ts'
import { ORIGIN } from './system-member-look.ts'
import { systemMemberState } from './system-member-state.ts'

const SSH = { type: 'proxy', listen: 'tcp:0.0.0.0:22001', connect: 'tcp:127.0.0.1:22' }

interface Seen {
  readonly name: string
  readonly location: string
  readonly origin?: string
  readonly status?: string
}

test('a restore that is run again tells of what its first run brought back, and has it answer', async () => {
  const hands = handsAt('Online', [[system({ name: 'ada', location: 'k2' })]])
  assert.deepEqual(await run(hands, 'restore'), { moved: ['ada'] })
  assert.ok(hands.recorder.calls.some(({ kind }) => kind === 'greeting'))
  const mute = handsAt('Online', [[system({ name: 'ada', location: 'k2' })]], '')
  await assert.rejects(run(mute, 'restore'), { code: 'SYSTEM_NOT_ANSWERING' })
})

test('one that came back and was not started by the run before is left over', async () => {
  const hands = handsAt('Online', [[system({ name: 'ada', location: 'k2', status: 'Stopped' })]])
  await assert.rejects(run(hands, 'restore'), { code: 'SYSTEM_MEMBER_UNFINISHED', message: /ada/ })
})

test('what is left elsewhere of a member that counts as restored is brought home, and nothing else is started', async () => {
  // With a mark that an evacuation which came to no end has left.
  const config = { [SYSTEM_KEY.whole]: 'true', [SYSTEM_KEY.carried]: 'true' }
  const other = { ...system({ name: 'eve', location: 'k1', status: 'Stopped' }), config }
  const [before, after] = [
    [system({ name: 'ada', location: 'k1', origin: 'k2' }), other],
    [system({ name: 'ada', location: 'k2' }), other],
  ]
  const hands = handsAt('Online', [before, before, after])
  assert.deepEqual(await run(hands, 'restore'), { moved: ['ada'] })
  const changes = hands.recorder.calls.flatMap(call =>
    call.kind === 'request' && call.method !== 'GET' ? [`${call.method} ${call.path}`] : [],
  )
  assert.deepEqual(changes, [
    'PATCH /1.0/instances/ada',
    'PUT /1.0/instances/ada/state',
    'POST /1.0/instances/ada',
    'PUT /1.0/instances/ada/state',
    'PATCH /1.0/instances/ada',
  ])
})

test('one that ran before a daemon was killed between its stop and its start is started where it is then', async () => {
  const seen = (more: object) => ({ ...system({ name: 'ada', location: 'k1', origin: 'k2' }), ...more })
  const config = { [SYSTEM_KEY.whole]: 'true', [SYSTEM_KEY.carried]: 'true', [ORIGIN]: 'k2' }
  const down = [seen({ status: 'Stopped', config })]
  const hands = handsAt('Evacuated', [down, down, down, [seen({ config })]])
  assert.deepEqual(await run(hands, 'evacuate'), { moved: ['ada'] })
  assert.deepEqual(
    hands.recorder.calls.flatMap(call =>
      call.kind === 'request' && ['PUT', 'PATCH'].includes(call.method) ? [call.body] : [],
    ),
    [{ action: 'start', force: false, timeout: 60 }, { config: { [SYSTEM_KEY.carried]: '' } }],
  )
})

test('an evacuation that is run again tells of what its first run moved, and moves nothing', async () => {
  const hands = handsAt('Evacuated', [[system({ name: 'ada', location: 'k1', origin: 'k2' })]])
  assert.deepEqual(await run(hands, 'evacuate'), { moved: ['ada'] })
  assert.deepEqual(changesOf(hands), [])
})

test('a member that counts as evacuated with something left there is restored and evacuated anew', async () => {
  const left = [
    system({ name: 'ada', location: 'k2' }),
    system({ name: 'bob', location: 'k1', origin: 'k2' }),
  ]
  const away = ['ada', 'bob'].map(name => system({ name, location: 'k1', origin: 'k2' }))
  const hands = handsAt('Evacuated', [left, left, away])
  assert.deepEqual(await run(hands, 'evacuate'), { moved: ['ada', 'bob'] })
  assert.deepEqual(changesOf(hands), ['restore', 'evacuate'])
})

function system({ name, location, origin, status = 'Running' }: Seen): object {
  const marks = { [SYSTEM_KEY.whole]: 'true', 'volatile.last_state.power': 'RUNNING' }
  const config = origin === undefined ? marks : { ...marks, [ORIGIN]: origin }
  return { name, status, location, config, devices: { ssh: SSH } }
}

/** The containers one look after the other; the last ones stay. */
function handsAt(status: string, looks: readonly (readonly object[])[], greeting = 'SSH-2.0-x'): TestHands {
  const members = [
    { server_name: 'k1', status: 'Online', url: 'https://192.0.2.1:8443' },
    { server_name: 'k2', status, url: 'https://192.0.2.2:8443' },
  ]
  return testHands([
    ['GET incus /1.0/instances', looks.map(replied)],
    ['GET incus /1.0/operations', replied({})],
    ['GET incus /1.0/cluster/members', replied(members)],
    ['GET incus /1.0/cluster', replied({ enabled: true, server_name: 'k1' })],
    ['POST incus /1.0/cluster/members/k2/state', replied({})],
    ['PUT incus /1.0/instances/ada/state', replied({})],
    ['POST incus /1.0/instances/ada', replied({})],
    ['PATCH incus /1.0/instances/', replied({})],
    [({ kind }) => kind === 'greeting', { text: greeting } as Answer],
  ])
}

function changesOf({ recorder }: TestHands): unknown[] {
  return recorder.calls.flatMap(call =>
    call.kind === 'request' && call.method === 'POST' ? [(call.body as { action: string }).action] : [],
  )
}

function replied(metadata: unknown): Answer {
  return { status: 200, json: { type: 'sync', metadata } }
}

async function run(hands: TestHands, action: 'evacuate' | 'restore'): Promise<unknown> {
  const systems = {
    socket: '/incus',
    pool: 'p',
    network: 'n',
    address: '0.0.0.0',
    backups: '',
    imageServer: '',
  }
  const host = { ...hands.host, systems }
  return await systemMemberState.run({ ...hands, host } as Hands, { member: 'k2', action })
}
