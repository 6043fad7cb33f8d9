import { deepEqual, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import { createRecorder } from '#exec/recorder.ts'
import { listServices, listTasks, listThings } from './docker-swarm.ts'

const asked = (message: string) => createRecorder([[() => true, { status: 503, json: { message } }]])

for (const [what, message] of [
  ['has no leader yet', 'rpc error: code = Unknown desc = The swarm does not have a leader.'],
  [
    'is starting',
    'This node is not a swarm manager. Manager is being prepared or has trouble connecting to the cluster.',
  ],
] as const) {
  test(`a swarm that ${what} is asked again: nothing is taken for gone`, async () => {
    const { perform } = asked(message)
    for (const call of [
      listServices('/s', 'shop'),
      listTasks('/s', 'shop'),
      listThings('/s', 'networks', 'shop'),
    ]) {
      await rejects(async () => await perform<readonly unknown[]>(call), { code: 'SWARM_STARTING' })
    }
  })
}

test('an engine that manages no swarm has no services', async () => {
  const { perform } = asked(
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  )
  deepEqual(await perform(listServices('/s')), [])
})
