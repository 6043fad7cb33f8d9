import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Shape, shapeOf } from './shape.ts'
import { stackFileOf } from './stack-file.ts'

const FACTS = {
  name: 'shop',
  root: '/checkout',
  secrets: { token: 'shop_token-0123456789ab' },
  configs: {},
}

/** What becomes of one service, in Compose's own JSON. */
function turned(service: Shape, rest: Shape = {}) {
  const { file, findings } = stackFileOf(
    { services: { web: { image: 'web:1', ...service } }, ...rest },
    FACTS,
  )
  return {
    file,
    web: shapeOf(shapeOf(file.services).web),
    rules: findings.map(({ rule, severity, path }) => `${rule} ${severity} ${path.join('.')}`),
  }
}

describe('a Compose file for a swarm', () => {
  test('is gated by health where it says nothing', () => {
    const { web } = turned({ deploy: { update_config: { monitor: '30s' } } })
    assert.deepEqual(web.deploy, {
      replicas: 1,
      update_config: { order: 'start-first', failure_action: 'rollback', monitor: '30s' },
      rollback_config: { order: 'start-first' },
    })
  })

  for (const [what, service] of [
    ['a port of the node', { ports: [{ target: 80, published: '20080', mode: 'host' }] }],
    ['a volume', { volumes: [{ type: 'volume', source: 'data', target: '/data' }] }],
  ] as const) {
    test(`stops the old task first where both would want ${what}`, () => {
      assert.equal(shapeOf(shapeOf(turned(service).web.deploy).update_config).order, 'stop-first')
    })
  }

  test('says what stands beside "deploy" for Compose inside of it', () => {
    const { web, rules } = turned({
      ...{ restart: 'on-failure:3', mem_limit: '1000', cpus: 0.5, pids_limit: 100, scale: 3 },
    })
    const deploy = shapeOf(web.deploy)
    assert.deepEqual(
      [deploy.replicas, deploy.resources, deploy.restart_policy, rules],
      [
        3,
        { limits: { memory: '1000', cpus: '0.5', pids: 100 } },
        { condition: 'on-failure', max_attempts: 3 },
        [],
      ],
    )
  })

  test('has ports as numbers, hosts with colons and files with modes', () => {
    const { web } = turned({
      ports: [{ target: 80, published: '20080', protocol: 'tcp', mode: 'ingress' }],
      extra_hosts: ['a=1.2.3.4'],
      secrets: [{ source: 'token', target: '/run/secrets/token', mode: '0440' }],
      healthcheck: { test: ['CMD', 'true'], start_interval: '1s' },
    })
    assert.deepEqual(web.ports, [{ target: 80, published: 20080, protocol: 'tcp', mode: 'ingress' }])
    assert.deepEqual(web.extra_hosts, ['a:1.2.3.4'])
    assert.deepEqual(web.secrets, [{ source: 'token', target: '/run/secrets/token', mode: 0o440 }])
    assert.deepEqual(web.healthcheck, { test: ['CMD', 'true'] })
  })

  test('finds secrets under the names that say what is in them', () => {
    const { file } = turned({}, { secrets: { token: { name: 'shop_token', environment: 'TOKEN' } } })
    assert.deepEqual(file.secrets, { token: { external: true, name: FACTS.secrets.token } })
  })

  test('leaves names to Swarm that it gives itself, and bridges that are on one machine', () => {
    const { file } = turned({}, { networks: { back: { name: 'shop_back', driver: 'bridge', ipam: {} } } })
    assert.deepEqual(file.networks, { back: {} })
  })

  test('keeps a name that is not the one that Swarm gives, though it begins with that of the stack', () => {
    const volumes = { data: { name: 'shop_files' }, files: { name: 'shop_files' } }
    assert.deepEqual(turned({}, { volumes }).file.volumes, { data: { name: 'shop_files' }, files: {} })
  })

  test('cannot write labels that say whose a service is', () => {
    const labels = { 'io.fairlead.app': 'other', 'com.docker.stack.namespace': 'other', mine: 'yes' }
    assert.deepEqual(shapeOf(turned({ deploy: { labels } }).web.deploy).labels, { mine: 'yes' })
  })

  for (const [service, rule] of [
    [{ network_mode: 'host' }, 'POL110 error services.web.network_mode'],
    [{ privileged: true }, 'POL110 error services.web.privileged'],
    [{ deploy: { mode: 'global-job' } }, 'POL110 error services.web.deploy.mode'],
    [
      { ports: [{ target: 80, published: '20080', host_ip: '127.0.0.1' }] },
      'POL110 error services.web.ports.0.host_ip',
    ],
    [
      { volumes: [{ type: 'bind', source: '/checkout/x', target: '/x' }] },
      'POL112 error services.web.volumes.0',
    ],
    [{ depends_on: { db: {} } }, 'POL111 warning services.web.depends_on'],
  ] as const) {
    test(`${rule.split(' ')[1] === 'error' ? 'refuses' : 'warns of'} ${JSON.stringify(service)}`, () => {
      assert.deepEqual(turned(service).rules, [rule])
    })
  }
})
