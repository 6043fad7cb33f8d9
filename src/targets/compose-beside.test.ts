import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertTellable, commands, everyTell, plan, type World } from './test-compose.ts'

const CHANGED: World = { web: { configHash: 'other' } }

describe('a routed service that changed', () => {
  test('gets a new container beside the old one, which goes last', () => {
    const made = plan(CHANGED)
    assertTellable(everyTell(made))
    const change = made.changes.find(each => each.what === 'web')
    assert.equal(change?.kind, 'replace')
    assert.match(change?.why ?? '', /the new container starts beside the old one/)
    assert.deepEqual(made.apply[0]?.data.beside, ['web'])
    assert.deepEqual(made.verify[0]?.data.replaced, ['web'])
    assert.deepEqual(made.route[0]?.data.ip, { $result: 'up', field: 'addresses', entry: 'web.shop' })
    assert.deepEqual(commands(made.prune), ['retire: compose.retire'])
  })

  test('is led back to before the new container goes', () => {
    const made = plan(CHANGED)
    assert.deepEqual(commands(made.undo), ['undo-route:web.shop: route.point', 'undo: compose.restore'])
    assert.equal(made.undo[0]?.data.ip, '10.1.0.32')
  })

  for (const [what, world, why] of [
    ['has data', { ...CHANGED, alone: ['it has the volume "data"'] }, /it has the volume "data"/],
    ['has a volume without a name', { web: { configHash: 'other', ownVolumes: true } }, /without a name/],
    ['does not run', { web: { configHash: 'other', state: 'exited' } }, /changed$/],
  ] as const) {
    test(`is made anew in its place when it ${what}, and the plan says why`, () => {
      const made = plan(world)
      const change = made.changes.find(each => each.what === 'web')
      assert.equal(change?.kind, 'recreate')
      assert.match(change?.why ?? '', why)
      assert.deepEqual([made.apply[0]?.data.beside, commands(made.prune)], [[], []])
    })
  }

  test('takes nothing down with it that depends on it', () => {
    const made = plan({ ...CHANGED, db: {} })
    assert.deepEqual(made.changes.find(each => each.what === 'db')?.kind, 'untouched')
  })
})

describe('what an interrupted deployment left', () => {
  test('is removed although the service runs as wanted already', () => {
    const made = plan({ old: {} })
    assert.equal(made.nothingToDo, false)
    assert.deepEqual(
      made.changes.filter(each => each.kind === 'remove').map(each => each.what),
      ['shop-web-2'],
    )
    assert.deepEqual(made.apply[0]?.data.beside, [])
    assert.deepEqual(made.verify[0]?.data.replaced, ['web'])
    assert.deepEqual(commands(made.prune), ['retire: compose.retire'])
  })

  test('is switched to when only the switch was missing', () => {
    const route = { hosts: ['shop.example.org'], port: 80, ip: '10.1.0.33', deployment: 'old' }
    const made = plan({ old: {}, route })
    assert.deepEqual(commands(made.route), ['route:web.shop: route.point'])
    assert.equal(made.undo[0]?.data.ip, '10.1.0.33')
  })
})
