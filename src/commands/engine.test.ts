import { deepEqual, doesNotThrow, equal, throws } from 'node:assert/strict'
import { test } from 'node:test'
import type { EngineFacts, HostFacts } from './command.ts'
import { hostOn } from './engine.ts'
import { testHands } from './recorded-hands.test.ts'

const START = { name: 'container.start' }
const LOOK = { name: 'container.logs', looksOnly: true } as const
const NO_APP = { code: 'ENGINE_FOR_SOME' }
const STRANGER = { code: 'ENGINE_NOT_FOR_APP' }

test('an engine for some apps takes a command only for an app that fits, whatever the data of the command names', () => {
  const host = hostWith({ apps: ['shop-*'] })
  const on = (owner: object, params: object = {}) => hostOn(host, { engine: 'far', params, ...owner }, START)
  equal(on({ owner: { app: 'shop-web' } }, { app: 'shop-web' }).dockerSocket, '/far.sock')
  throws(() => on({ owner: { app: 'blog' } }), STRANGER)
  throws(() => on({ owner: { app: 'shop-web' } }, { app: 'blog' }), STRANGER)
  throws(() => on({ owner: { app: 'blog' } }, { app: 'shop-web' }), STRANGER)
})

test('an engine for some repositories goes by what no pusher chooses', () => {
  const host = hostWith({ apps: ['shop-*'], repositories: ['acme-*'] })
  const on = (owner: object) => hostOn(host, { engine: 'far', params: {}, owner: owner as never }, START)
  doesNotThrow(() => on({ app: 'shop-web', repository: 'acme-shop' }))
  throws(() => on({ app: 'shop-web', repository: 'visitors' }), {
    ...STRANGER,
    message: /"shop-web", which comes from the repository "visitors"/,
  })
  throws(() => on({ app: 'shop-web' }), { ...STRANGER, message: /which has no repository/ })
})

test('a command for no app is refused on an engine for some, unless it only looks', () => {
  for (const engine of ['far', 'local']) {
    const host = hostWith({ apps: ['shop'] }, engine)
    throws(() => hostOn(host, { engine, params: {} }, { name: 'image.push' }), NO_APP)
    doesNotThrow(() => hostOn(host, { engine, params: {} }, LOOK))
    throws(() => hostOn(host, { engine, params: { app: 'blog' } }, LOOK), STRANGER)
  }
  doesNotThrow(() => hostOn(hostWith({}), { engine: 'far', params: {} }, { name: 'image.push' }))
})

test("the host's own engine has the same rules, also where nobody names it", () => {
  const host = hostWith({ apps: ['shop'] }, 'local')
  throws(() => hostOn(host, { params: {}, owner: { app: 'blog' } }, START), STRANGER)
  const seen = hostOn(host, { params: {}, owner: { app: 'shop' } }, START)
  deepEqual([seen.dockerSocket, seen.engine, seen.owner], ['/local.sock', undefined, { app: 'shop' }])
})

test('what an app has on an engine that it may no longer use can still be taken away', () => {
  const remove = { name: 'container.remove', engineFree: true } as const
  const told = { engine: 'far', params: { app: 'blog' }, owner: { app: 'blog' } }
  equal(hostOn(hostWith({ apps: ['shop'] }), told, remove).engine?.name, 'far')
})

function hostWith(rules: Pick<EngineFacts, 'apps' | 'repositories'>, of = 'far'): HostFacts {
  const engine = (name: string) => ({
    name,
    address: `/${name}.sock`,
    labels: {},
    ...(name === of ? rules : {}),
  })
  return { ...testHands([]).host, dockerSocket: '/local.sock', engines: [engine('local'), engine('far')] }
}
