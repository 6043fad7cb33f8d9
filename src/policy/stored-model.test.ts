import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { rewriteModel } from './compose-rewrite.ts'
import type { HostRules, ProjectFacts } from './rule-context.ts'
import type { Shape } from './shape.ts'
import { stackFileOf } from './stack-file.ts'
import { checkStoredModel } from './stored-model.ts'

const ROOT = '/w/renders/shop/files'
const ENFORCED: HostRules = {
  mode: 'enforce',
  ports: { from: 20_000, to: 20_100, never: [] },
  registries: [],
}
const PROJECT: ProjectFacts = {
  name: 'shop',
  routes: [{ service: 'web', port: 80 }],
  variables: [],
  sockets: [],
}
const STACK: ProjectFacts = { ...PROJECT, routes: [], isStack: true }

/** What an earlier release may be made of, in Compose's own JSON, with the label that we add. */
const MODEL: Shape = {
  name: 'shop',
  services: {
    web: {
      image: 'registry.example/web@sha256:abc',
      command: null,
      labels: { 'io.fairlead.app': 'shop', 'com.example.team': 'blue' },
      networks: { default: null },
      volumes: [
        { type: 'bind', source: `${ROOT}/0123`, target: '/site', read_only: true },
        { type: 'volume', source: 'data', target: '/data' },
      ],
      ports: [{ mode: 'ingress', target: 90, published: '20001', protocol: 'tcp' }],
      secrets: [{ source: 'token', target: '/run/secrets/token' }],
      deploy: { resources: { limits: { memory: '268435456' } } },
      logging: { driver: 'syslog' },
    },
    db: { image: 'postgres:18', pids_limit: 100_000, depends_on: { web: { condition: 'service_started' } } },
  },
  networks: { default: { name: 'shop_default', ipam: {} } },
  volumes: { data: { name: 'shop_data' } },
  secrets: { token: { name: 'shop_token', file: `${ROOT}/value-0123`, 'x-environment': 'TOKEN' } },
}

function stored(rules: HostRules, changes: Shape = {}): Shape {
  const services = { ...(MODEL.services as Shape), ...changes }
  return rewriteModel({ ...MODEL, services }, { rules, project: PROJECT }).model
}

function rules(model: Shape, today: HostRules, project = PROJECT): string[] {
  return checkStoredModel({ model, root: ROOT, rules: today, project }).map(
    ({ rule, path }) => `${rule} ${path}`,
  )
}

describe('a configuration that is kept', () => {
  test('is allowed by the rules that it was made by, and by milder ones', () => {
    const model = stored(ENFORCED)
    for (const today of [
      ENFORCED,
      { ...ENFORCED, ports: { from: 20_000, to: 20_001, never: [] } },
      { ...ENFORCED, mode: 'warn' as const },
      { ...ENFORCED, mode: 'trusted' as const },
    ]) {
      assert.deepEqual(rules(model, today), [])
    }
  })

  for (const [what, service, path] of [
    ['privileged', { privileged: true }, 'POL001 services.old.privileged'],
    ['a capability', { cap_add: ['SYS_ADMIN'] }, 'POL002 services.old.cap_add[0]'],
    [
      'a folder of the host',
      { volumes: [{ type: 'bind', source: '/srv', target: '/x' }] },
      'POL010 services.old.volumes[0]',
    ],
    ['a namespace of the host', { pid: 'host' }, 'POL004 services.old.pid'],
  ] as const) {
    test(`of a host that trusted, with ${what}, is refused once it enforces`, () => {
      const model = stored({ ...ENFORCED, mode: 'trusted' }, { old: { image: 'a', ...service } })
      assert.deepEqual(rules(model, { ...ENFORCED, mode: 'trusted' }), [])
      assert.ok(rules(model, ENFORCED).includes(path))
    })
  }

  test('is refused for a port that is not granted any more', () => {
    const today = { ...ENFORCED, ports: { from: 20_002, to: 20_100, never: [] } }
    assert.deepEqual(rules(stored(ENFORCED), today), ['POL020 services.web.ports[0]'])
  })

  test('of a host that trusted lacks what guards it, also where every key is allowed', () => {
    const model = stored({ ...ENFORCED, mode: 'trusted' })
    const lacking = ['POL113 services.web', 'POL113 services.db']
    assert.deepEqual(
      rules(model, ENFORCED).filter(each => each.startsWith('POL113')),
      lacking,
    )
    assert.deepEqual(rules(model, { ...ENFORCED, mode: 'warn' }), [], 'which a host that warns lets run')
  })
})

test('a stack that is kept is judged as what Swarm was told', () => {
  const turn = (mode: HostRules['mode']) => {
    const { web, db } = MODEL.services as { web: Shape; db: Shape }
    const { volumes: _, secrets: __, ...plain } = web
    const { model } = rewriteModel(
      { ...MODEL, services: { web: plain, db }, secrets: {} },
      { rules: { ...ENFORCED, mode }, project: STACK },
    )
    return stackFileOf(model, { name: 'shop', root: ROOT, secrets: {}, configs: {} }).file
  }
  assert.deepEqual(rules(turn('enforce'), ENFORCED, STACK), [])
  assert.deepEqual(rules(turn('trusted'), ENFORCED, STACK), ['POL113 services.web', 'POL113 services.db'])
})
