import { deepEqual, equal, match, notEqual } from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startRegistry } from '#cli/demo/registry.ts'
import { composeRestore, composeVerify } from '#commands/compose.ts'
import { LABEL } from '#commands/container-data.ts'
import { imageDigest, imagePush } from '#commands/image.ts'
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

test('a tag that moved in its registry is told, and brought to the service that follows it', async () => {
  await using stack = new AsyncDisposableStack()
  const world = await startComposeWorld(stack)
  const registry = await startRegistry({ folder: join(world.folder, 'registry'), ...LOGIN })
  stack.defer(registry.close)
  const docker = (...args: string[]) => mustRun('docker', args, world)
  const reference = `${registry.address}/${world.app}/db:1`
  const registries = [loginOf(registry)]
  const told = () => imageDigest.run(world.hands, { reference, registries })
  // A worker pushes what is new to the registry; moving a tag is the work of somebody else.
  const person = ['--config', join(world.folder, 'docker')]
  await docker(
    ...person,
    'login',
    '--username',
    LOGIN.username,
    '--password',
    LOGIN.password,
    registry.address,
  )
  const push = async () => {
    await docker(...person, 'push', '--quiet', reference)
    return `${reference.replace(/:1$/, '')}@${(await told()).digest}`
  }
  match((await told()).problem ?? '', /does not have it/)
  await docker('tag', world.base, reference)
  const first = await push()
  const one = await rendered(world, simple({ ...world, base: reference }, 'command: [sleep, "100"]'), {
    routes: [],
  })
  const started = await up(world, { render: one.render })
  deepEqual(started.pinned, { web: first })

  await docker('create', '--name', `${world.app}-moved`, world.base, 'true')
  await docker('commit', '--change', `LABEL ${LABEL.app}=${world.app}`, `${world.app}-moved`, reference)
  await docker('rm', `${world.app}-moved`)
  const second = await push()
  notEqual(second, first)
  // The host has it by neither name: it has to be fetched by its digest.
  await docker('rmi', reference)
  const moved = await up(world, { render: one.render, pins: { web: second }, registries })
  deepEqual([moved.pinned, moved.services[0]?.image, moved.touched], [{ web: second }, second, ['web']])
  notEqual(moved.services[0]?.imageId, started.services[0]?.imageId)
  const again = await up(world, { render: one.render, pins: { web: second }, registries })
  deepEqual([again.services[0]?.id, again.touched], [moved.services[0]?.id, []])

  // It is on loopback, and nobody vouches for it.
  const denied = await imageDigest.run(world.hands, { reference, registries: [] })
  equal(denied.digest, undefined)
  match(denied.problem ?? '', /private address/)
  await registry.close()
  equal((await told()).digest, undefined)
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
