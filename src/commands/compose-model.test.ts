import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { shapeOf } from '#policy/shape.ts'
import { withDependents } from './compose-dependents.ts'
import {
  deployedHash,
  describeServices,
  hashOf,
  OWN_KEY,
  type Render,
  renderText,
  unbuilt,
  withImages,
} from './compose-model.ts'

const CHECKOUT = '/w/checkouts/r/c'
const OWN = { app: 'shop', routes: [], mounts: {}, source: { repository: 'r', commit: 'c' } }
const DRAFT: Render = {
  services: {
    web: {
      build: {
        context: `${CHECKOUT}/web`,
        args: { PRICE: '$$5', EMPTY: null },
        secrets: [{ source: 'npm' }],
      },
      depends_on: { db: { condition: 'service_started' } },
      secrets: [{ source: 'npm', target: 'npm' }],
      ports: [{ target: 80, published: '20080' }],
    },
    db: {
      image: 'pg:16',
      volumes: [{ type: 'volume', source: 'data', target: '/d' }],
      networks: { default: null },
    },
  },
  networks: { default: { name: 'shop_default' } },
  volumes: { data: { name: 'shop_data' } },
  secrets: { npm: { file: '/w/renders/shop/files/value-1', 'x-environment': 'NPM_TOKEN' } },
  [OWN_KEY]: OWN,
}

describe('a rendered configuration', () => {
  test('tells the manager what is built from which folder, with secrets by the names of their variables', () => {
    const { web, db } = describeServices(DRAFT, CHECKOUT, [])
    assert.deepEqual(web?.build, {
      context: 'web',
      dockerfile: 'web/Dockerfile',
      args: { PRICE: '$5' },
      secrets: { npm: 'NPM_TOKEN' },
    })
    assert.deepEqual([web?.dependsOn, web?.ports], [['db'], [{ published: '20080', target: 80 }]])
    assert.deepEqual([db?.image, db?.build], ['pg:16', undefined])
  })

  test('tells the manager by which protocol and at which address of the host a port is published', () => {
    const port = { target: 53, published: '9053', protocol: 'udp' }
    const ports = [port, { ...port, host_ip: '127.0.0.1' }]
    const { dns } = describeServices({ services: { dns: { image: 'a', ports } } }, CHECKOUT, [])
    assert.deepEqual(dns?.ports, [port, { ...port, address: '127.0.0.1' }])
  })

  test('is deployed with images instead of builds, labelled, and without a trace of the commit or the deployment', () => {
    const image = 'fairlead/shop-web:t-1'
    const described = describeServices(DRAFT, CHECKOUT, [])
    const render = withImages(DRAFT, { web: image })
    const { web, db } = shapeOf(render.services)
    assert.deepEqual(shapeOf(web).labels, {
      'io.fairlead.app': 'shop',
      'io.fairlead.config': deployedHash(described.web ?? { hash: '' }, image),
    })
    assert.equal(shapeOf(shapeOf(db).labels)['io.fairlead.config'], described.db?.hash)
    assert.deepEqual([shapeOf(web).image, shapeOf(web).build], [image, undefined])
    assert.deepEqual(render[OWN_KEY], { app: 'shop', routes: [], mounts: {} })
    assert.deepEqual([unbuilt(DRAFT, {}), unbuilt(DRAFT, { web: image })], [['web'], []])
  })

  test('gives a service another hash exactly when the service or something it uses changed', () => {
    const before = describeServices(DRAFT, CHECKOUT, [])
    const after = (change: object) => describeServices({ ...DRAFT, ...change }, CHECKOUT, [])
    const changed = (change: object) => {
      const now = after(change)
      return Object.keys(before).filter(name => before[name]?.hash !== now[name]?.hash)
    }
    assert.deepEqual(changed({ volumes: { data: { name: 'shop_data', labels: { a: '1' } } } }), ['db'])
    assert.deepEqual(changed({ secrets: { npm: { file: '/w/renders/shop/files/value-2' } } }), ['web'])
    assert.deepEqual(changed({ networks: { default: { name: 'shop_default', internal: true } } }), ['db'])
    assert.deepEqual(changed({ volumes: { data: { name: 'shop_data' }, other: {} }, 'x-note': 1 }), [])
    assert.deepEqual(changed({ services: { ...shapeOf(DRAFT.services), db: { image: 'pg:17' } } }), ['db'])
  })

  test('is the same text whatever the order of its keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), value => {
        const turned = Object.fromEntries(Object.entries(value).reverse())
        assert.equal(hashOf(renderText(turned)), hashOf(renderText(value)))
      }),
    )
  })
})

test('what depends on a changed service is made anew too, over any number of steps and in circles', () => {
  const dependencies = new Map([
    ['db', []],
    ['api', ['db']],
    ['web', ['api']],
    ['other', []],
    ['a', ['b']],
    ['b', ['a']],
  ])
  assert.deepEqual([...withDependents(['db'], dependencies)], ['db', 'api', 'web'])
  assert.deepEqual([...withDependents(['a'], dependencies)], ['a', 'b'])
  assert.deepEqual([...withDependents([], dependencies)], [])
})
