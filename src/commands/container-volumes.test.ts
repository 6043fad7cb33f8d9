import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readContainer } from '#programs/docker-containers.ts'
import type { HostPolicy } from './command.ts'
import { noteLeftVolumes, refuseForeignVolumes, removeVolumes } from './container-volumes.ts'
import { testHands } from './recorded-hands.test.ts'
import { handsOnEngines, type TestEngine } from './test-engines.ts'

const APP = 'io.fairlead.app'
const PROJECT = 'com.docker.compose.project'
const WISHES = { app: 'shop', volumes: [{ name: 'db-data', path: '/data' }] }

async function aHost(
  context: TestContext,
  volumes: NonNullable<TestEngine['volumes']>,
  policy: Partial<HostPolicy> = {},
) {
  const workspace = await mkdtemp(join(tmpdir(), 'volumes-'))
  context.after(() => rm(workspace, { recursive: true }))
  const engine: TestEngine = { name: 'local', id: 'L', volumes }
  const base = testHands([], { mode: 'enforce', ...policy })
  const on = handsOnEngines(base, workspace, [engine])()
  const of = (repository: string) => ({ ...on, host: { ...on.host, owner: { app: 'shop', repository } } })
  return { engine, of, said: base.said }
}

for (const [what, labels, message] of [
  ['another app of the same name with another seam', [`${APP}=shop-db`], /belongs to the app "shop-db"/],
  ['a Compose project', [`${PROJECT}=shop-db`], /belongs to the Compose project "shop-db"/],
  [
    'a Compose project that writes the label of apps',
    [`${PROJECT}=evil`, `${APP}=shop`],
    /belongs to the Compose project "evil"/,
  ],
  ['somebody who made it by hand', [], /"shop-db-data" already, and nothing says/],
] as const) {
  test(`X01 an app does not get the volume of ${what}`, async context => {
    const { of } = await aHost(context, { 'shop-db-data': labels })
    await rejects(refuseForeignVolumes(of('r'), WISHES, []), { code: 'VOLUME_TAKEN', message })
  })
}

test('an app has what it made, what is still to be made, and what its containers mount already', async context => {
  const own = await aHost(context, { 'shop-db-data': [`${APP}=shop`] })
  deepEqual((await refuseForeignVolumes(own.of('r'), WISHES, [])).volumes, [])
  const none = await aHost(context, { 'shop-db-data-2': [`${APP}=other`] })
  deepEqual((await refuseForeignVolumes(none.of('r'), WISHES, [])).volumes, WISHES.volumes)
  const bare = await aHost(context, { 'shop-db-data': [] })
  const running = readContainer({ Mounts: [{ Type: 'volume', Name: 'shop-db-data', RW: true }] })
  deepEqual((await refuseForeignVolumes(bare.of('r'), WISHES, [running])).volumes, [])
})

test('the owner of a host lets an app have what another made, and is warned where he trusts all', async context => {
  const things = { 'shop-db-data': [`${APP}=shop-db`] }
  const adopted = await aHost(context, things, { adopt: { shop: ['shop-db-data'] } })
  await refuseForeignVolumes(adopted.of('r'), WISHES, [])
  const trusted = await aHost(context, things, { mode: 'trusted' })
  await refuseForeignVolumes(trusted.of('r'), WISHES, [])
  match(trusted.said.join(), /warning: The volume "shop-db-data", which "shop" would have, belongs to/)
})

test('X01 what a removed app left is no other repository’s that takes its name, nor deleted by it', async context => {
  const { engine, of } = await aHost(context, { 'shop-db-data': [`${APP}=shop`] })
  await noteLeftVolumes(of('first'), 'shop')
  const message = /belongs to the app "shop" of the repository "first", which left it here/
  await rejects(refuseForeignVolumes(of('second'), WISHES, []), { code: 'VOLUME_TAKEN', message })
  await noteLeftVolumes(of('second'), 'shop')
  await rejects(refuseForeignVolumes(of('second'), WISHES, []), { message })
  deepEqual(await removeVolumes(of('second'), 'shop'), [])
  await refuseForeignVolumes(of('first'), WISHES, [])
  deepEqual(await removeVolumes(of('first'), 'shop'), ['shop-db-data'])
  engine.volumes = {}
  equal((await refuseForeignVolumes(of('second'), WISHES, [])).volumes.length, 1)
})
