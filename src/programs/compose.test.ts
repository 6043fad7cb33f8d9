import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createRecorder } from '#exec/recorder.ts'
import { revealed } from '#lib/secret.ts'
import {
  composeAdd,
  composeConfig,
  composeCreate,
  composeDown,
  composeStart,
  reservedVariables,
} from './compose.ts'

const PROJECT = {
  name: 'shop',
  files: ['/w/checkouts/r/c/compose.yaml', '/w/checkouts/r/c/more.yaml'],
  folder: '/w/checkouts/r/c',
  socket: '/run/docker.sock',
  home: '/w/docker',
}

describe('a start of docker compose', () => {
  test('C19 names project, folder, files and an empty env file, so that nothing is looked for', async () => {
    const recorder = createRecorder([['docker', { stdout: '{}' }]])
    await recorder.perform(composeConfig(PROJECT, {}))
    await recorder.perform(composeCreate(PROJECT, ['web', 'db']))
    await recorder.perform(composeAdd(PROJECT, { web: 2 }))
    await recorder.perform(composeStart(PROJECT, 'web'))
    const { files: _, folder: __, ...running } = PROJECT
    await recorder.perform(composeDown({ ...running, volumes: 'keep' }))
    await recorder.perform(composeDown({ ...running, volumes: 'delete' }))
    const start =
      'docker compose --project-name shop --project-directory /w/checkouts/r/c --env-file {file:env}'
    const files = '--file /w/checkouts/r/c/compose.yaml --file /w/checkouts/r/c/more.yaml'
    const down =
      'docker compose --project-name shop --project-directory / --env-file {file:env} down --remove-orphans'
    assert.deepEqual(recorder.shown, [
      `${start} ${files} config --format json`,
      `${start} ${files} up --no-deps --no-build --pull never --no-start web db`,
      `${start} ${files} up --no-deps --no-build --pull never --no-start --no-recreate --scale web=2 web`,
      `${start} ${files} up --no-deps --no-build --pull never --detach web`,
      down,
      `${down} --volumes`,
    ])
  })

  test("C18 knows the project's variables and nothing of the worker's environment; rendering gets no engine", () => {
    const call = composeConfig(PROJECT, { TOKEN: 'sesame' })
    const env = Object.fromEntries(Object.entries(call.env).map(([name, value]) => [name, revealed(value)]))
    assert.deepEqual(env, {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/w/docker',
      DOCKER_HOST: 'unix:///dev/null',
      COMPOSE_DISABLE_ENV_FILE: '1',
      TOKEN: 'sesame',
    })
    assert.ok(!JSON.stringify(call).includes('sesame'))
    assert.equal(composeStart(PROJECT, 'web').env.DOCKER_HOST, 'unix:///run/docker.sock')
  })

  test('C18 variables that change the docker CLI itself are reserved', () => {
    const names = [
      'TOKEN',
      'PATH',
      'Home',
      'DOCKER_HOST',
      'COMPOSE_FILE',
      'LD_PRELOAD',
      'COMPOSER',
      'MY_PATH',
    ]
    assert.deepEqual(reservedVariables(names), ['PATH', 'Home', 'DOCKER_HOST', 'COMPOSE_FILE', 'LD_PRELOAD'])
  })

  test('gives the rendered model and what Compose warned of, each once', async () => {
    const stderr =
      'time="2026-11-20T12:33:25Z" level=warning msg="The \\"X\\" variable is not set. Defaulting to a blank string."\n'
    const recorder = createRecorder([['docker', { stdout: '{"name":"shop"}', stderr: stderr + stderr }]])
    assert.deepEqual(await recorder.perform(composeConfig(PROJECT, {})), {
      kind: 'rendered',
      model: { name: 'shop' },
      warnings: ['The "X" variable is not set. Defaulting to a blank string.'],
    })
  })
})

const PROBLEMS = [
  [
    'a key that the schema does not have',
    'validating /w/checkouts/r/c/compose.yaml: services.a Additional property prots is not allowed',
    { message: 'services.a Additional property prots is not allowed', path: 'services.a' },
  ],
  [
    'broken YAML',
    'yaml: line 4: did not find expected node content',
    { message: 'yaml: line 4: did not find expected node content', line: 4 },
  ],
  [
    'an undefined service',
    'service "a" depends on undefined service "b": invalid compose project',
    { message: 'service "a" depends on undefined service "b"', path: 'services.a' },
  ],
  [
    'a variable that must be set',
    'error while interpolating services.a.image: required variable X is missing a value: need x',
    {
      message: 'error while interpolating services.a.image: required variable X is missing a value: need x',
      path: 'services.a.image',
    },
  ],
  [
    'a missing env file',
    'env file /w/checkouts/r/c/nope.env not found: stat /w/checkouts/r/c/nope.env: no such file or directory',
    {
      message: 'env file nope.env not found: stat nope.env: no such file or directory',
      missingFile: 'nope.env',
    },
  ],
  [
    'a missing Compose file',
    'open /w/checkouts/r/c/nope.yaml: no such file or directory',
    { message: 'open nope.yaml: no such file or directory', missingFile: 'nope.yaml' },
  ],
] as const

for (const [title, stderr, problem] of PROBLEMS) {
  test(`Compose's words about ${title} are understood`, async () => {
    const recorder = createRecorder([['docker', { exitCode: 15, stderr: `${stderr}\n` }]])
    assert.deepEqual(await recorder.perform(composeConfig(PROJECT, {})), { kind: 'problem', problem })
  })
}

const PROGRESS = ' Network shop_default  Created\n Container shop-web-1  Starting\n'
const FAILURES = [
  [
    'a port that a process has',
    'Error response from daemon: driver failed programming external connectivity on endpoint shop-web-1 (6b7f): Error starting userland proxy: listen tcp4 0.0.0.0:18099: bind: address already in use',
    { kind: 'port-taken', port: 18_099 },
  ],
  [
    'a port that a container has',
    'Error response from daemon: driver failed programming external connectivity on endpoint shop-web-1 (6b7f): Bind for 127.0.0.1:8080 failed: port is already allocated',
    { kind: 'port-taken', port: 8080 },
  ],
  [
    'a missing image',
    'Error response from daemon: no such image: registry.example:5000/x/y:1: No such image: registry.example:5000/x/y:1',
    { kind: 'image-missing', image: 'registry.example:5000/x/y:1' },
  ],
  [
    'a missing image by digest',
    `Error response from daemon: No such image: a@sha256:${'0'.repeat(64)}`,
    { kind: 'image-missing', image: `a@sha256:${'0'.repeat(64)}` },
  ],
  [
    'an unhealthy dependency',
    'dependency failed to start: container shop-db-1 is unhealthy',
    { kind: 'unhealthy', container: 'shop-db-1' },
  ],
  [
    'a dependency that ended',
    'dependency failed to start: container shop-db-1 exited (3)',
    { kind: 'exited', name: 'shop-db-1', exitCode: 3 },
  ],
  [
    'a job that failed',
    'service "job" didn\'t complete successfully: exit 4',
    { kind: 'exited', name: 'job', exitCode: 4 },
  ],
  [
    'anything else',
    'Error response from daemon: failed to create shim task: OCI runtime create failed: exec: "/nosuch": no such file',
    { kind: 'refused' },
  ],
] as const

for (const [title, stderr, failure] of FAILURES) {
  test(`Compose's words about ${title} are understood`, async () => {
    const recorder = createRecorder([['docker', { exitCode: 1, stderr: `${PROGRESS}${stderr}\n` }]])
    assert.deepEqual(await recorder.perform(composeStart(PROJECT, 'web')), { ...failure, text: stderr })
  })
}
