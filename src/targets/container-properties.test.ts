import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { container } from './container.ts'
import type { ContainerSettings } from './container-settings.ts'
import { configHashOf, wantsOf } from './container-wants.ts'
import {
  aContainer,
  anInput,
  assertTellable,
  commandsOf,
  content,
  DIGEST,
  dataOf,
  PINNED,
  REGISTRY,
  REMOTE,
} from './test-container.ts'

describe('for any settings and any state', () => {
  const settings = fc.record(
    {
      port: fc.integer({ min: 1, max: 65_535 }),
      environment: fc.dictionary(fc.constantFrom('A', 'B', 'C'), fc.constantFrom('1', '$S', 'x')),
      domains: fc.constantFrom<string[]>([], ['a.example.org'], ['a.example.org', 'b.example.org']),
      volumes: fc.constantFrom([], [{ name: 'data', path: '/data' }]),
      ports: fc.constantFrom([], [{ host: 20_001, container: 1 }]),
      memory: fc.constantFrom('64m', '1g'),
      health: fc.constantFrom({ http: '/h' }, { within: '5s' }),
      verify: fc.constantFrom({ http: '/v' }, { settle: '5s' }),
    },
    { requiredKeys: ['port'] },
  )
  const containers = fc.array(
    fc.record({
      deployment: fc.constantFrom('old', 'older', 'lost'),
      state: fc.constantFrom('running', 'exited', 'created'),
      health: fc.constantFrom('none', 'healthy', 'unhealthy', 'starting'),
      serving: fc.boolean(),
      fits: fc.boolean(),
      ip: fc.constantFrom('10.1.0.16', '10.1.0.17'),
    } as const),
    { maxLength: 4 },
  )
  const images = fc.constantFrom(
    content({}),
    content({ localImageId: 'sha256:1' }),
    content({ reference: REMOTE, registry: 'missing' }),
    content({
      reference: REMOTE,
      registry: 'present',
      registryDigest: DIGEST,
      pinned: PINNED,
      localImageId: 'sha256:1',
    }),
    content({ reference: REMOTE, registry: 'unknown', localImageId: 'sha256:1' }),
  )
  const inputs = fc.record({ settings, containers, image: images, routed: fc.boolean() }).map(made => {
    const input = anInput({
      settings: made.settings as unknown as ContainerSettings,
      secrets: { S: 'secret-value' },
      ...(made.image.registry === 'none' ? {} : { registry: REGISTRY }),
    })
    const wants = wantsOf(input)
    const configHash = configHashOf(wants, made.image.reference)
    const found = made.containers.map(({ fits, ...each }) =>
      aContainer({ ...each, ...(fits ? { configHash } : {}) }),
    )
    const first = found[0]
    const route =
      made.routed && first && wants.hosts.length > 0
        ? { hosts: [...wants.hosts], port: wants.run.port, ip: first.ip, deployment: first.deployment }
        : null
    return {
      ...input,
      found: {
        content: { images: [made.image] },
        containers: { containers: found },
        routes: { routes: { shop: route } },
      },
    }
  })

  test('the same input gives the same plan', () => {
    fc.assert(
      fc.property(inputs, input =>
        assert.deepEqual(container.plan(input), container.plan(structuredClone(input))),
      ),
    )
  })

  test('nothing to do means that nothing is told', () => {
    fc.assert(
      fc.property(inputs, input => {
        const plan = container.plan(input)
        assert.equal(plan.nothingToDo && Object.values(commandsOf(plan)).flat().length > 0, false)
      }),
    )
  })

  test('every command that is told accepts its data', () => {
    fc.assert(fc.property(inputs, input => assertTellable(container.plan(input))))
  })

  test('no secret value stands in what is kept of a plan', () => {
    fc.assert(
      fc.property(inputs, input => {
        const { release, changes } = container.plan(input)
        assert.doesNotMatch(JSON.stringify({ release, changes }), /secret-value/)
      }),
    )
  })

  test('a plan never removes what it lets run or goes back to', () => {
    fc.assert(
      fc.property(inputs, input => {
        const plan = container.plan(input)
        const start = plan.apply.find(tell => tell.command === 'container.start')
        for (const tell of plan.prune.filter(each => each.command === 'container.remove')) {
          const running = start ? input.deployment : dataOf(plan.verify, 'container.verify').deployment
          assert.deepEqual(tell.data.keep, [running])
        }
      }),
    )
  })
})
