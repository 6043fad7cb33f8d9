import { deepEqual, throws } from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readEngines } from './engines-file.ts'

const SOCKET = '/var/run/docker.sock'

async function written(context: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'engines-'))
  context.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'engines.yaml')
  await writeFile(file, text)
  await chmod(file, 0o600)
  return file
}

for (const [what, text, message] of [
  ['an address over SSH', 'engines: [{ name: far, host: "ssh://root@10.0.0.5" }]', /engines\.0\.host/],
  ['TCP without TLS', 'engines: [{ name: far, host: "tcp://10.0.0.5:2375" }]', /no "tls"/],
  ['no address', 'engines: [{ name: far }]', /no "host"/],
  [
    'TLS for a socket',
    'engines: [{ name: far, host: "unix:///a", tls: { ca: /a, cert: /b, key: /c } }]',
    /"tls" is for tcp/,
  ],
  [
    'relative paths',
    'engines: [{ name: far, host: "tcp://a:1", tls: { ca: a, cert: b, key: c } }]',
    /not an absolute path/,
  ],
  [
    'one name twice',
    'engines: [{ name: far, host: "unix:///a" }, { name: far, host: "unix:///b" }]',
    /"far" is there twice/,
  ],
  ['the own socket again', `engines: [{ name: far, host: "unix://${SOCKET}" }]`, /is there twice/],
  ['another address for "local"', 'engines: [{ name: local, host: "unix:///a" }]', /engine of this host/],
  ['no YAML', 'engines: [', /engines\.yaml/],
] as const) {
  test(`R42 a file of engines with ${what} is refused with what is wrong`, async context => {
    const file = await written(context, text)
    throws(() => readEngines(file, SOCKET, 0), { code: 'ENGINES_INVALID', message })
  })
}

test('R42 a file of engines that others may write is refused, and one that is not there', async context => {
  const file = await written(context, 'engines: [{ name: side, host: "unix:///a" }]')
  await chmod(file, 0o622)
  throws(() => readEngines(file, SOCKET, 0), { code: 'ENGINES_INVALID', message: /others than its owner/ })
  throws(() => readEngines(`${file}.not`, SOCKET, 0), { code: 'ENGINES_INVALID', message: /no such file/ })
})

test('R40 R42 the own engine is the first, with the labels of its entry', async context => {
  const labels = '{ runner: node_host_docker }'
  const file = await written(
    context,
    `engines: [{ name: side, host: "unix:///a" }, { name: local, labels: ${labels} }]`,
  )
  const { engines } = readEngines(file, SOCKET, 0)
  deepEqual(
    engines.map(({ name, address, labels: of }) => [name, address, of]),
    [
      ['local', SOCKET, { runner: 'node_host_docker' }],
      ['side', '/a', {}],
    ],
  )
})
