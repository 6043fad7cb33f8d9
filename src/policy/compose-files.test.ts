import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkComposeFiles } from './compose.ts'
import { type Finding, findingText } from './finding.ts'
import type { HostRules, ProjectFacts } from './rule-context.ts'

const RULES: HostRules = {
  mode: 'enforce',
  ports: { from: 20_110, to: 20_119, never: [20_115] },
  registries: [],
}
const PROJECT: ProjectFacts = {
  name: 'shop',
  routes: [{ service: 'routed', port: 8080 }],
  variables: ['TOKEN'],
  sockets: ['/srv/engine/docker.sock'],
}

/** What is wrong with a service "web", given its YAML in flow style. */
const SERVICE_CASES: readonly (readonly [title: string, service: string, rule: string])[] = [
  ['C01 privileged', 'privileged: true', 'POL001'],
  ['C01 privileged as a word', 'privileged: "yes"', 'POL001'],
  ['C02 cap_add SYS_ADMIN', 'cap_add: [SYS_ADMIN]', 'POL002'],
  ['C02 cap_add CAP_SYS_ADMIN', 'cap_add: [CAP_SYS_ADMIN]', 'POL002'],
  ['C02 cap_add ALL', 'cap_add: [ALL]', 'POL002'],
  ['C02 cap_add all', 'cap_add: [all]', 'POL002'],
  ['C03 devices', 'devices: ["/dev/mem:/dev/mem"]', 'POL003'],
  ['C03 device_cgroup_rules', 'device_cgroup_rules: ["c 1:3 mr"]', 'POL003'],
  ['C03 gpus', 'gpus: all', 'POL003'],
  [
    'C03 reserved devices',
    'deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}',
    'POL003',
  ],
  ['C04 pid host', 'pid: host', 'POL004'],
  ['C04 pid of a container', 'pid: "container:manager"', 'POL004'],
  ['C04 ipc host', 'ipc: host', 'POL004'],
  ['C04 uts host', 'uts: host', 'POL004'],
  ['C04 cgroup host', 'cgroup: host', 'POL004'],
  ['C04 userns_mode host', 'userns_mode: host', 'POL004'],
  ['C04 network host', 'network_mode: host', 'POL005'],
  ['C05 network of another container', 'network_mode: "container:manager"', 'POL005'],
  ['C05 the common bridge', 'network_mode: bridge', 'POL005'],
  ['C06 seccomp unconfined', 'security_opt: ["seccomp:unconfined"]', 'POL006'],
  ['C06 seccomp unconfined with =', 'security_opt: ["seccomp=unconfined"]', 'POL006'],
  ['C06 apparmor unconfined', 'security_opt: ["apparmor:unconfined"]', 'POL006'],
  ['C06 label disable', 'security_opt: ["label:disable"]', 'POL006'],
  ['C06 no-new-privileges off', 'security_opt: ["no-new-privileges:false"]', 'POL006'],
  ['C06 system paths', 'security_opt: ["systempaths=unconfined"]', 'POL006'],
  ['C07 bind of /', 'volumes: ["/:/host"]', 'POL013'],
  ['C07 bind of //', 'volumes: ["//:/host"]', 'POL013'],
  ['C07 bind of /./', 'volumes: ["/./:/host"]', 'POL013'],
  ['C07 bind of /etc, long', 'volumes: [{type: bind, source: /etc, target: /x}]', 'POL010'],
  ['C07 bind through /proc', 'volumes: ["/proc/1/root:/x"]', 'POL013'],
  ['C07 bind of ~', 'volumes: ["~/.ssh:/x"]', 'POL010'],
  ['C07 bind of ../..', 'volumes: ["../..:/x"]', 'POL010'],
  ['C07 bind that climbs out inside', 'volumes: ["./a/../../..:/x"]', 'POL010'],
  ['C07 bind of the repository data', 'volumes: ["./.git:/x"]', 'POL010'],
  ['C07 shared propagation', 'volumes: ["./a:/x:rshared"]', 'POL012'],
  ['C07 npipe mount', 'volumes: [{type: npipe, source: x, target: /x}]', 'POL012'],
  ['C07 image mount', 'volumes: [{type: image, source: x, target: /x}]', 'POL012'],
  ['C08 docker.sock', 'volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]', 'POL013'],
  ['C08 docker.sock through /run', 'volumes: [{type: bind, source: /run, target: /x}]', 'POL013'],
  ['C08 the socket of this host', 'volumes: ["/srv/engine:/x"]', 'POL013'],
  ['C08 volumes of another container', 'volumes_from: ["container:manager"]', 'POL012'],
  ['C11 provider', 'provider: {type: evil}', 'POL040'],
  ['C12 use_api_socket', 'use_api_socket: true', 'POL013'],
  ['C13 privileged post_start', 'post_start: [{command: id, privileged: true}]', 'POL001'],
  ['C13 pre_start', 'pre_start: [{command: id}]', 'POL040'],
  ['C15 extends of another repository', 'extends: {file: ../../other/compose.yaml, service: x}', 'POL031'],
  ['C15 extends of a variable file', 'extends: {file: "${WHERE}/compose.yaml", service: x}', 'POL031'],
  ['C15 extends from the web', 'extends: {file: "https://evil.example/c.yaml", service: x}', 'POL030'],
  ['C16 env_file', 'env_file: /root/.docker/config.json', 'POL031'],
  ['C16 env_file, list', 'env_file: [a.env, ../../secrets.env]', 'POL031'],
  ['C16 env_file, long', 'env_file: [{path: ../x.env, required: false}]', 'POL031'],
  ['C16 env_file of a variable', 'env_file: "${HOME}/.env"', 'POL031'],
  ['C16 label_file', 'label_file: /etc/passwd', 'POL031'],
  ['C17 credential_spec', 'credential_spec: {file: /etc/shadow}', 'POL040'],
  ['C25 a host port that is not granted', 'ports: ["80:80"]', 'POL020'],
  ['C25 a host port on all addresses', 'ports: ["0.0.0.0:443:443"]', 'POL020'],
  ['C25 an IPv6 host port', 'ports: ["[::]:22:22"]', 'POL020'],
  ['C25 a host port, long', 'ports: [{target: 80, published: "80"}]', 'POL020'],
  ['C25 a host port that is never granted', 'ports: ["20115:80"]', 'POL020'],
  ['C25 a range of host ports', 'ports: ["3000-4000:80"]', 'POL021'],
  ['C25 ports of a range', 'ports: ["20118-20121:1-4"]', 'POL020'],
  ['C25 mode host', 'ports: [{target: 80, published: 20111, mode: host}]', 'POL021'],
  ['C26 host-gateway', 'extra_hosts: ["host.docker.internal:host-gateway"]', 'POL090'],
  ['C26 host-gateway with =', 'extra_hosts: ["h=host-gateway"]', 'POL090'],
  ['C26 a private address', 'extra_hosts: {metadata: 169.254.169.254}', 'POL090'],
  ['C26 another resolver', 'dns: 10.0.0.1', 'POL040'],
  ['C28 a million replicas', 'deploy: {replicas: 1000000}', 'POL081'],
  ['C28 scale', 'scale: 21', 'POL081'],
  ['C28 cgroup_parent', 'cgroup_parent: /', 'POL009'],
  ['C28 oom_kill_disable', 'oom_kill_disable: true', 'POL009'],
  ['C28 another runtime', 'runtime: runc-evil', 'POL009'],
  ['C28 sysctls, list', 'sysctls: ["kernel.core_pattern=|/x"]', 'POL007'],
  ['C28 sysctls, mapping', 'sysctls: {net.ipv4.ip_forward: 1}', 'POL007'],
  ['C28 group of the engine', 'group_add: [docker]', 'POL008'],
  ['C28 group 0', 'group_add: ["0"]', 'POL008'],
  ['C35 an upper case image', 'image: "IMG:TAG"', 'POL071'],
  ['C35 a tag of 129 characters', `image: "a:${'t'.repeat(129)}"`, 'POL071'],
  ['C35 a short digest', 'image: "a@sha256:short"', 'POL071'],
  ['C35 scratch', 'image: scratch', 'POL071'],
  ['C35 an empty image', 'image: ""', 'POL071'],
  ['C35 an image with a line break', 'image: "a\\nb"', 'POL071'],
  ['C35 an image with a space', 'image: "a b"', 'POL071'],
  ['C35 an image with a command', 'image: "$$(id)"', 'POL071'],
  ['C45 a context outside', 'build: ../other', 'POL031'],
  ['C45 a context outside, long', 'build: {context: /etc}', 'POL031'],
  ['C45 a remote context', 'build: "https://evil.example/x.git"', 'POL030'],
  ['C45 a Git context', 'build: {context: "git@evil.example:x.git"}', 'POL030'],
  ['C45 a Dockerfile outside', 'build: {context: ., dockerfile: ../../etc/passwd}', 'POL031'],
  ['C45 a further context outside', 'build: {context: ., additional_contexts: {x: /etc}}', 'POL031'],
  [
    'C45 a further context from a registry',
    'build: {context: ., additional_contexts: {x: "docker-image://a"}}',
    'POL030',
  ],
  ['C41 another front end', 'build: {context: ., args: {BUILDKIT_SYNTAX: evil/x}}', 'POL101'],
  ['C41 a privileged build', 'build: {context: ., privileged: true}', 'POL102'],
  ['C41 entitlements', 'build: {context: ., entitlements: [security.insecure]}', 'POL102'],
  ['C41 a build in the network of the host', 'build: {context: ., network: host}', 'POL102'],
  ['C41 SSH in a build', 'build: {context: ., ssh: [default]}', 'POL102'],
  ['A04 a host name with a slash', 'hostname: "a/b"', 'POL044'],
]

for (const [title, service, rule] of SERVICE_CASES) {
  test(`${title} is refused by ${rule}`, () => {
    assertRule(rule, errors(`services:\n  web: {${service}}\n`))
  })
}

const FILE_CASES: readonly (readonly [title: string, text: string, rule: string])[] = [
  ['C09 a bind mount in disguise', 'volumes: {d: {driver_opts: {type: none, o: bind, device: /}}}', 'POL011'],
  [
    'C10 an NFS volume',
    'volumes: {d: {driver_opts: {type: nfs, o: "addr=169.254.169.254", device: ":/x"}}}',
    'POL011',
  ],
  ['C10 another volume driver', 'volumes: {d: {driver: sshfs}}', 'POL012'],
  ['C14 an OCI include', 'include: ["oci://evil.example/x"]', 'POL030'],
  ['C14 a Git include', 'include: [{path: "git@evil.example:x.git"}]', 'POL030'],
  ['C14 a web include', 'include: ["https://evil.example/x.git"]', 'POL030'],
  ['C14 an include outside', 'include: [../../other/compose.yaml]', 'POL031'],
  ['C14 a project directory outside', 'include: [{path: a.yaml, project_directory: /etc}]', 'POL031'],
  ['C17 a secret file', 'secrets: {s: {file: /etc/shadow}}', 'POL031'],
  ['C17 a config file', 'configs: {c: {file: ../../x}}', 'POL031'],
  ['C18 a variable of the agent', 'secrets: {s: {environment: DEPLOY_SECRET}}', 'POL110'],
  ['C22 an external network', 'networks: {proxy: {external: true}}', 'POL050'],
  ['C22 the name of another network', 'networks: {proxy: {name: other_default}}', 'POL050'],
  ['C22 an external volume', 'volumes: {d: {external: true, name: other_data}}', 'POL051'],
  ['C22 an external secret', 'secrets: {s: {external: true}}', 'POL052'],
  ['C22 a macvlan network', 'networks: {n: {driver: macvlan}}', 'POL053'],
  ['C22 a subnet', 'networks: {n: {ipam: {config: [{subnet: 10.0.0.0/8}]}}}', 'POL053'],
  ['C28 models', 'models: {m: {model: x}}', 'POL040'],
  ['C01 a merge key', 'x-a: &a {privileged: true}\nservices: {web: {<<: *a}}', 'POL001'],
  ['C01 an anchor', 'services: {a: &a {privileged: true}, b: *a}', 'POL001'],
  ['C01 a profile', 'services: {a: {profiles: [dev], privileged: true}}', 'POL001'],
]

for (const [title, text, rule] of FILE_CASES) {
  test(`${title} is refused by ${rule}`, () => {
    assertRule(rule, errors(text))
  })
}

const UNREADABLE: readonly (readonly [title: string, text: string])[] = [
  ['an alias bomb', `a: &a [x,x]\n${bomb()}`],
  ['51 aliases', `a: &a 1\nx-b: [${Array(51).fill('*a').join(',')}]`],
  [
    '100,000 services',
    `services:\n${Array.from({ length: 100_000 }, (_, i) => `  s${i}: {image: a}`).join('\n')}`,
  ],
  ['a tab', 'services:\n\tweb: {}'],
  ['duplicate keys', 'services: {}\nservices: {}'],
  ['a function', 'x-a: !!js/function "f"'],
  ['binary', 'x-a: !!binary aGk='],
  ['a reset tag', 'services: {web: {ports: !reset []}}'],
  ['a byte order mark', '\uFEFFservices: {}'],
  ['UTF-16 read as UTF-8', 's\0e\0r\0'],
  ['a NUL', 'services: {"a\0": {}}'],
  ['bytes that are no text', 'services: {"\uFFFD": {}}'],
  ['several documents', 'services: {}\n---\nservices: {}'],
  ['a list', '- a'],
  ['nothing', ''],
  ['a million brackets', '['.repeat(1_000_000)],
  ['more than 1 MiB', `# ${'x'.repeat(1024 * 1024)}`],
]

for (const [title, text] of UNREADABLE) {
  test(`C30 ${title} is no plain YAML`, () => {
    assertRule('POL039', errors(text))
  })
}

function bomb(): string {
  return [...'bcdefghi']
    .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`)
    .join('\n')
}

test('C01 C02 C08 C14 all findings come at once, each with its line', () => {
  const text = [
    'include: ["oci://evil.example/x"]',
    'services:',
    '  web:',
    '    image: nginx',
    '    privileged: true',
    '    volumes:',
    '      - data:/data',
    '      - /var/run/docker.sock:/x',
  ].join('\n')
  assert.deepEqual(errors(text).map(findingText), [
    'compose.yaml:1: POL030 include[0]: remote include "oci://evil.example/x" is not allowed; commit the file to the repository.',
    'compose.yaml:5: POL001 services.web.privileged: "privileged" gives the container full control of the host and is not allowed. Remove it, or ask an administrator for an exception.',
    'compose.yaml:8: POL013 services.web.volumes[1]: bind mount of host path "/var/run/docker.sock" is not allowed. Only paths inside the repository (./…) may be mounted.',
  ])
})

test('C07 C16 C22 C25 the messages say what is wrong and what to do', () => {
  const text =
    'services: {web: {image: a, env_file: [../../secrets.env], volumes: ["/opt:/x"]}, api: {image: a, ports: ["80:80"]}, db: {provider: {type: x}}}\nnetworks: {shared: {external: true, name: proxy}}'
  const texts = errors(text).map(
    finding => `${finding.rule} ${finding.path}: ${finding.message} ${finding.fix}`,
  )
  for (const expected of [
    'POL031 services.web.env_file[0]: "../../secrets.env" is outside the repository.',
    'POL010 services.web.volumes[0]: bind mount of host path "/opt" is not allowed. Only paths inside the repository (./…) may be mounted.',
    'POL020 services.api.ports[0]: host port 80 is not granted to this stack. Use "expose" and a route, or one of your ports 20110-20119.',
    'POL040 services.db.provider: unknown or forbidden key "provider".',
    'POL050 networks.shared: external network "proxy" does not belong to app "shop".',
  ]) {
    assert.ok(
      texts.some(text => text.startsWith(expected)),
      `${expected}\nnot in\n${texts.join('\n')}`,
    )
  }
})

test('an ordinary project has nothing to complain about', () => {
  const text = `
name: shop
services:
  routed:
    build: { context: ./web, dockerfile: Dockerfile, args: { MODE: prod }, target: run }
    environment: { TOKEN: "\${TOKEN}" }
    ports: ["8080:8080"]
    volumes: [./web/conf:/etc/web:ro, data:/data]
    healthcheck: { test: [CMD, "true"], interval: 5s }
    depends_on: { db: { condition: service_healthy } }
    deploy: { resources: { limits: { memory: 512m, pids: 100 } } }
    post_start: [{ command: ["true"] }]
    x-note: ours
  db:
    image: registry.example.org:5000/team/db:16@sha256:${'a'.repeat(64)}
    restart: unless-stopped
    env_file: [db.env]
    cap_add: [NET_BIND_SERVICE]
    sysctls: [net.core.somaxconn=1024]
    security_opt: [no-new-privileges:true]
    network_mode: service:routed
    extra_hosts: [example:93.184.216.34]
    secrets: [token]
volumes: { data: {} }
secrets: { token: { environment: TOKEN } }
networks: { default: {} }
`
  assert.deepEqual(check(text), [])
})

test('include and extends lead to files that are checked too, from their own folders', () => {
  const text = `
include: [deploy/other.yaml, { path: [deploy/third.yaml], project_directory: . }]
services:
  web: { extends: { file: base/common.yaml, service: web } }
  api: { extends: { service: web } }
`
  const { leadsTo } = checkComposeFiles([{ file: 'compose.yaml', text, folder: '.' }], RULES, PROJECT)
  assert.deepEqual(leadsTo, [
    { file: 'deploy/other.yaml', folder: 'deploy' },
    { file: 'deploy/third.yaml', folder: '' },
    { file: 'base/common.yaml', folder: 'base' },
  ])
})

test('paths of a file in a folder start there', () => {
  const inside = checkComposeFiles(
    [
      {
        file: 'deploy/compose.yaml',
        text: 'services: {web: {env_file: ../a.env, build: ..}}',
        folder: 'deploy',
      },
    ],
    RULES,
    PROJECT,
  )
  assert.deepEqual(inside.findings, [])
})

test('a trusted host only warns, but not of paths that leave the checkout, code from elsewhere, the socket and ports that are never granted', () => {
  const text = `
include: ["https://evil.example/x.yaml"]
services:
  a: { privileged: true, ports: ["80:80", "20115:81"], volumes: ["/srv/data:/data"] }
  b: { volumes: ["/var/run/docker.sock:/x"] }
  c: { volumes: ["../../other:/x"], env_file: /etc/environment }
`
  const { findings } = checkComposeFiles(
    [{ file: 'compose.yaml', text, folder: '' }],
    { ...RULES, mode: 'trusted' },
    PROJECT,
  )
  const rules = (severity: string) => findings.filter(f => f.severity === severity).map(f => f.rule)
  assert.deepEqual(rules('error').sort(), ['POL010', 'POL013', 'POL020', 'POL030', 'POL031'])
  assert.deepEqual(rules('warning').sort(), ['POL001', 'POL010', 'POL020'])
})

test('C20 the name in a file is not used, and that is said', () => {
  assert.deepEqual(
    check('name: other-tenant\nservices: {}').map(finding => [finding.severity, finding.rule]),
    [['warning', 'POL043']],
  )
})

function check(text: string): readonly Finding[] {
  return checkComposeFiles([{ file: 'compose.yaml', text, folder: '' }], RULES, PROJECT).findings
}

function errors(text: string): Finding[] {
  return check(text).filter(finding => finding.severity === 'error')
}

function assertRule(rule: string, found: readonly Finding[]): void {
  assert.ok(
    found.some(finding => finding.rule === rule),
    `${rule} is not among: ${found.map(findingText).join('\n') || 'nothing'}`,
  )
}
