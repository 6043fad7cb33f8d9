import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { checkComposeModel } from './compose.ts'
import { rewriteModel } from './compose-rewrite.ts'
import type { HostRules, ProjectFacts } from './rule-context.ts'
import { type Shape, shapeOf } from './shape.ts'

const ROOT = '/w/checkouts/r/c'
const RULES: HostRules = { mode: 'enforce', ports: { from: 20_000, to: 20_100, never: [] }, registries: [] }
const PROJECT: ProjectFacts = {
  name: 'shop',
  routes: [{ service: 'web', port: 80 }],
  variables: ['TOKEN'],
  sockets: ['/run/other.sock'],
}

describe("the pass over Compose's own JSON", () => {
  const cases: readonly (readonly [title: string, service: Shape, rule: string])[] = [
    ['C01 privileged', { privileged: true }, 'POL001'],
    [
      'C07 a bind of another checkout',
      { volumes: [{ type: 'bind', source: '/w/checkouts/other', target: '/x' }] },
      'POL010',
    ],
    [
      'C07 a bind beside the checkout',
      { volumes: [{ type: 'bind', source: `${ROOT}x`, target: '/x' }] },
      'POL010',
    ],
    [
      'C07 a bind out of the checkout',
      { volumes: [{ type: 'bind', source: `${ROOT}/../x`, target: '/x' }] },
      'POL010',
    ],
    ['C08 the socket', { volumes: [{ type: 'bind', source: '/run', target: '/x' }] }, 'POL013'],
    [
      'C25 an expanded port',
      { ports: [{ mode: 'ingress', target: 81, published: '80', protocol: 'tcp' }] },
      'POL020',
    ],
    ['C25 a range', { ports: [{ mode: 'ingress', target: 80, published: '3000-4000' }] }, 'POL021'],
    ['C26 host-gateway', { extra_hosts: ['host.docker.internal=host-gateway'] }, 'POL090'],
    ['C28 replicas', { deploy: { replicas: 1_000_000 } }, 'POL081'],
    ['C35 an interpolated image', { image: 'A B' }, 'POL071'],
    [
      'C45 a context of another checkout',
      { image: undefined, build: { context: '/w/checkouts/other' } },
      'POL031',
    ],
    ['a route without a network', { network_mode: 'none' }, 'POL080'],
    ['a route to two containers', { deploy: { replicas: 2 } }, 'POL080'],
  ]
  for (const [title, service, rule] of cases) {
    test(`${title} is refused by ${rule}`, () => {
      const found = errors({ services: { web: { image: 'a', ...service } } })
      assert.ok(found.includes(rule), `${rule} is not among ${found.join()}`)
    })
  }

  test('a route must lead to a service', () => {
    assert.deepEqual(errors({ services: { api: { image: 'a' } } }), ['POL080'])
  })

  test('C22 networks and volumes are those of the app', () => {
    const model = {
      services: { web: { image: 'a' } },
      networks: { default: { name: 'shop_default', ipam: {} }, other: { name: 'proxy', external: true } },
      volumes: { data: { name: 'shop_data' }, alien: { name: 'other_data' } },
    }
    assert.deepEqual(errors(model), ['POL050', 'POL051'])
  })

  test('C22 a name that only begins with the name of the app is not its own', () => {
    for (const alien of [
      { name: 'shop_shop_data' },
      { name: 'shop_two_data' },
      { name: 'shop_data', external: true },
      { external: true },
    ]) {
      const services = { web: { image: 'a' } }
      assert.deepEqual(
        errors({ services, networks: { data: alien }, volumes: { data: alien } }),
        ['POL050', 'POL051'],
        JSON.stringify(alien),
      )
    }
    const own = { data: { name: 'shop_data' }, two_data: { name: 'shop_two_data' }, plain: {} }
    assert.deepEqual(errors({ services: { web: { image: 'a' } }, networks: own, volumes: own }), [])
  })

  test('C35 POL070 images come from the registries of the host, if it names some', () => {
    const model = { services: { web: { image: 'evil.example/x' }, ok: { image: 'nginx' } } }
    const given = { rules: { ...RULES, registries: ['docker.io'] }, project: PROJECT, files: [] }
    assert.deepEqual(
      checkComposeModel(model, ROOT, given).map(({ rule, path, message }) => `${rule} ${path}: ${message}`),
      ['POL070 services.web.image: registry "evil.example" is not in the allow-list.'],
    )
  })

  test('C35 POL070 an image that was built here needs no registry, and its name in one does', () => {
    const services = { web: { image: 'config/web' }, other: { image: 'config/web:2' } }
    const far = { far: { image: 'evil.example/config/web:1' } }
    const project = { ...PROJECT, ownImages: ['config/web:latest'] }
    const given = { rules: { ...RULES, registries: ['registry.example'] }, project, files: [] }
    assert.deepEqual(
      checkComposeModel({ services: { ...services, ...far } }, ROOT, given).map(({ path }) => path),
      ['services.other.image', 'services.far.image'],
    )
  })

  function errors(model: Shape): string[] {
    const found = checkComposeModel(model, ROOT, { rules: RULES, project: PROJECT, files: [] })
    return found.filter(each => each.severity === 'error').map(each => each.rule)
  }
})

describe('what the host changes', () => {
  const written = {
    image: 'a',
    container_name: 'fixed',
    command: null,
    pull_policy: 'always',
    develop: { watch: [] },
    labels: {
      'traefik.enable': 'true',
      'com.docker.compose.project': 'other',
      'io.fairlead.app': 'x',
      mine: '1',
    },
    ports: [
      { target: 80, published: '80', protocol: 'tcp' },
      { target: 81, published: '20001', protocol: 'tcp' },
      { target: 82, protocol: 'tcp' },
    ],
    volumes: [{ type: 'bind', source: `${ROOT}/x`, target: '/x', bind: { create_host_path: true } }],
    logging: { driver: 'syslog', options: { 'syslog-address': 'udp://10.0.0.1:5' } },
    mem_limit: '1099511627776',
    pids_limit: -1,
  }

  test('C21 C23 C24 C27 C28 it takes names and labels of others, open ends and foreign logs away, and says so', () => {
    const { model, findings } = rewriteModel(
      { services: { web: written } },
      { rules: RULES, project: PROJECT },
    )
    assert.deepEqual(shapeOf(model.services).web, {
      image: 'a',
      labels: { mine: '1' },
      ports: [{ target: 81, published: '20001', protocol: 'tcp' }],
      volumes: [
        {
          type: 'bind',
          source: `${ROOT}/x`,
          target: '/x',
          read_only: true,
          bind: { create_host_path: false },
        },
      ],
      security_opt: ['no-new-privileges:true'],
      logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } },
      mem_limit: String(64 * 1024 ** 3),
      pids_limit: 4096,
    })
    assert.deepEqual(
      findings.map(({ rule, severity }) => `${rule} ${severity}`),
      ['POL060', 'POL060', 'POL060', 'POL022', 'POL022', 'POL042', 'POL091', 'POL082', 'POL082'].map(
        rule => `${rule} warning`,
      ),
    )
    assert.equal(findings[0]?.message, '"traefik.enable" is managed by the platform and was removed.')
  })

  test('C24 a trusted host keeps what is written, but no forged label', () => {
    const rules: HostRules = { ...RULES, mode: 'trusted' }
    const web = shapeOf(
      shapeOf(rewriteModel({ services: { web: written } }, { rules, project: PROJECT }).model.services).web,
    )
    assert.deepEqual(web.labels, { 'traefik.enable': 'true', mine: '1' })
    assert.deepEqual(
      [web.container_name, web.mem_limit, web.security_opt],
      ['fixed', '1099511627776', undefined],
    )
  })

  test('a limit is bounded in either place, and processes always', () => {
    const limits = { memory: '536870912', cpus: 128, pids: 0 }
    const service = { image: 'a', deploy: { resources: { limits } }, shm_size: '99999999999999' }
    const { model } = rewriteModel(
      { services: { a: service, b: { image: 'b' } } },
      { rules: RULES, project: PROJECT },
    )
    const memory = { limits: { memory: '1' } }
    const beside = { services: { c: { image: 'c', pids_limit: 9_999, deploy: { resources: memory } } } }
    assert.deepEqual(
      shapeOf(rewriteModel(beside, { rules: RULES, project: PROJECT }).model.services).c,
      {
        image: 'c',
        security_opt: ['no-new-privileges:true'],
        logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } },
        deploy: { resources: { limits: { memory: '1', pids: 4096 } } },
      },
      'Compose takes them at one place only',
    )
    const { a, b } = shapeOf(model.services)
    assert.deepEqual(shapeOf(a).deploy, {
      resources: { limits: { memory: '536870912', cpus: 64, pids: 4096 } },
    })
    assert.deepEqual([shapeOf(a).pids_limit, shapeOf(b).pids_limit], [undefined, 4096])
  })

  test('is the same when it is done twice', () => {
    const service = fc.record(
      {
        image: fc.constant('a'),
        labels: fc.dictionary(fc.constantFrom('a', 'traefik.x', 'caddy'), fc.string()),
        mem_limit: fc.constantFrom('1024', '0', '99999999999999'),
        pids_limit: fc.constantFrom(-1, 10, 100_000),
        ports: fc.array(
          fc.record({ target: fc.constantFrom(80, 81), published: fc.constantFrom('80', '20001') }),
        ),
        logging: fc.constantFrom({ driver: 'local' }, { driver: 'gelf' }, { options: { 'max-size': '1m' } }),
        command: fc.constantFrom(null, [], ['x']),
      },
      { requiredKeys: ['image'] },
    )
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('web', 'api'), service), services => {
        const given = { rules: RULES, project: PROJECT }
        const once = rewriteModel({ services }, given).model
        assert.deepEqual(rewriteModel(once, given).model, once)
      }),
    )
  })
})
