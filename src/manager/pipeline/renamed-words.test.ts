import { deepEqual, equal } from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { requestDeployment } from '#manager/deployments/request.ts'
import { openTestSwarm, type TestSwarm } from './test-swarm.ts'

let swarm: TestSwarm

beforeEach(async () => {
  swarm = await openTestSwarm()
})

afterEach(() => swarm.close())

const serving = () => [...swarm.running.keys()].sort()

for (const words of [['deploy-c'], ['build-a2'], ['remove-x'], ['deploy-a']]) {
  test(`R54 R55 a renamed stack stays while the message of its push asks for [${words}], and is replaced by the next`, async () => {
    await swarm.made(['a', 'c', 'd'])
    await swarm.push(['a2', 'c', 'd'], words)
    deepEqual(
      [serving(), await swarm.appNames()],
      [
        ['a', 'c', 'd'],
        ['a', 'c', 'd'],
      ],
      swarm.done.join(),
    )
    equal(await swarm.lastOf('a'), words[0] === 'deploy-a' ? 'files-gone' : 'not-asked')
    await swarm.push(['a2', 'c', 'd'])
    deepEqual(
      [serving(), await swarm.appNames()],
      [
        ['a2', 'c', 'd'],
        ['a2', 'c', 'd'],
      ],
      swarm.done.join(),
    )
  })
}

for (const words of [['deploy-c'], ['build-all']]) {
  test(`R54 R55 a stack stays whose successor was refused when the next message asks for [${words}], and goes later`, async () => {
    await swarm.made(['a', 'c', 'd'])
    swarm.broken.add('a2')
    await swarm.push(['a2', 'c', 'd'])
    await swarm.push(['a2', 'c', 'd'], words)
    deepEqual(serving(), ['a', 'c', 'd'], swarm.done.join())
    swarm.broken.clear()
    await swarm.push(['a2', 'c', 'd'])
    deepEqual(
      [serving(), await swarm.appNames()],
      [
        ['a2', 'c', 'd'],
        ['a2', 'c', 'd'],
      ],
      swarm.done.join(),
    )
  })
}

test('R54 R55 a stack whose file is gone ends as not asked for while the message asks for others', async () => {
  await swarm.made(['a', 'c', 'd'])
  for (const words of [['deploy-c'], ['build-all']]) {
    await swarm.push(['c', 'd'], words)
    equal(await swarm.lastOf('a'), 'not-asked')
  }
  deepEqual(serving(), ['a', 'c', 'd'])
  await swarm.push(['c', 'd'], ['remove-a'])
  deepEqual(
    [serving(), await swarm.appNames()],
    [
      ['c', 'd'],
      ['c', 'd'],
    ],
  )
})

test('R54 R55 a renamed stack makes room when the message asks for its new name alone', async () => {
  await swarm.made(['a', 'c', 'd'])
  await swarm.push(['a2', 'c', 'd'], ['deploy-a2'])
  deepEqual(
    [serving(), await swarm.appNames()],
    [
      ['a2', 'c', 'd'],
      ['a2', 'c', 'd'],
    ],
    swarm.done.join(),
  )
})

test('R54 R55 R56 a dry run of a rename removes nothing, and says that it is one', async () => {
  await swarm.made(['a', 'c', 'd'])
  await swarm.push(['a2', 'c', 'd'], ['dry-run'])
  deepEqual(
    [serving(), await swarm.appNames()],
    [
      ['a', 'c', 'd'],
      ['a', 'c', 'd'],
    ],
    swarm.done.join(),
  )
  equal(await swarm.lastOf('a'), 'dry-run')
})

test('R54 R55 a stack stays while its successor was only built, also when a person has it looked at again', async () => {
  await swarm.made(['a', 'c', 'd'])
  swarm.broken.add('a2')
  await swarm.push(['a2', 'c', 'd'])
  swarm.broken.clear()
  await swarm.push(['a2', 'c', 'd'], ['build-all'])
  equal(await swarm.lastOf('a2'), 'built')
  const { id: appId } = await swarm.store.db
    .selectFrom('apps')
    .select('id')
    .where('name', '=', 'a')
    .executeTakeFirstOrThrow()
  await requestDeployment(swarm.store, { appId, kind: 'deploy', trigger: { kind: 'api', by: 'ada' } })
  await swarm.settle()
  deepEqual([serving(), await swarm.lastOf('a')], [['a', 'c', 'd'], 'files-gone'])
})

test('R54 a stack that is split says what is down when one of its parts is refused, and goes when that is mended', async () => {
  swarm.portsOf = { a: [80, 443], a2: [80], a3: [443] }
  await swarm.made(['a', 'c', 'd'])
  swarm.broken.add('a3')
  await swarm.push(['a2', 'a3', 'c', 'd'])
  deepEqual([serving(), await swarm.lastOf('a')], [['a2', 'c', 'd'], 'APP_HALF_REPLACED'])
  swarm.broken.clear()
  await swarm.push(['a2', 'a3', 'c', 'd'])
  deepEqual(serving(), ['a2', 'a3', 'c', 'd'])
  equal((await swarm.appNames()).includes('a'), false)
})
