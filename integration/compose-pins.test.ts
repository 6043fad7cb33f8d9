import { deepEqual, equal, match, notEqual } from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startRegistry } from '#cli/demo/registry.ts'
import { composeRestore, composeVerify } from '#commands/compose.ts'
import { LABEL } from '#commands/container-data.ts'
import { imagePush } from '#commands/image.ts'
import { mustRun } from './world/command.ts'
import { expected, rendered, simple, startComposeWorld, up, wish } from './world/compose-world.ts'
import { LOGIN, loginOf } from './world/container-world.ts'

test('C38 an image of a registry runs by its digest: who moves the tag changes nothing, also not on the way back', async () => {
  await using stack = new AsyncDisposableStack()
  const world = await startComposeWorld(stack)
  const registry = await startRegistry({ folder: join(world.folder, 'registry'), ...LOGIN })
  stack.defer(registry.close)
  const docker = (...args: string[]) => mustRun('docker', args, world)
  const reference = `${registry.address}/${world.app}/db:1`
  await docker('tag', world.base, reference)
  const { reference: first } = await imagePush.run(world.hands, { reference, registry: loginOf(registry) })
  const project = (more: string) =>
    simple({ ...world, base: reference }, `command: [sleep, "100"]\n    ${more}`)
  const one = await rendered(world, project('environment: { N: "1" }'), { routes: [] })
  const started = await up(world, { render: one.render })
  deepEqual([started.pinned, started.services[0]?.image], [{ web: first }, first])

  await docker('create', '--name', `${world.app}-moved`, world.base, 'true')
  await docker('commit', '--change', `LABEL ${LABEL.app}=${world.app}`, `${world.app}-moved`, reference)
  await docker('rm', `${world.app}-moved`)
  await imagePush.run(world.hands, { reference, registry: loginOf(registry) })
  equal((await up(world, { render: one.render })).services[0]?.id, started.services[0]?.id)
  const two = await rendered(world, project('environment: { N: "2" }'), { routes: [] })
  const changed = await up(world, { render: two.render })
  notEqual(changed.services[0]?.imageId, started.services[0]?.imageId)
  const back = await composeRestore.run(world.hands, { ...wish(world), render: started.render })
  deepEqual([back.services[0]?.image, back.services[0]?.imageId], [first, started.services[0]?.imageId])
  const { unpinned } = await composeVerify.run(world.hands, {
    ...{ project: world.app, services: expected(one), mustRun: ['web'], replaced: [] },
  })
  deepEqual(unpinned, [])
})

test('an image that was never in a registry runs by its name, and the evidence says so', async () => {
  await using stack = new AsyncDisposableStack()
  const world = await startComposeWorld(stack)
  const one = await rendered(world, simple(world, 'command: [sleep, "100"]'), { routes: [] })
  const { pinned, services } = await up(world, { render: one.render })
  deepEqual([pinned, services[0]?.image], [{}, world.base])
  match(world.said.join('\n'), /has no digest: it was never in a registry/)
  const { unpinned } = await composeVerify.run(world.hands, {
    ...{ project: world.app, services: expected(one), mustRun: ['web'], replaced: [] },
  })
  deepEqual(unpinned, ['web'])
})
