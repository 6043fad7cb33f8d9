import { deepEqual, doesNotMatch, equal, match } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json, text } from 'node:stream/consumers'
import { after, before, beforeEach, test } from 'node:test'

const PROGRAM = join(import.meta.dirname, '../../bin/fairlead')
const HOOK = { url: 'https://x/hooks/1', secret: 's3cret', git_host: 'github', setup: [] }
const PATCHED = 'PATCH /api/v1/repositories/site'

let folder = ''
let url = ''
let refusal: object | undefined
let asked: [string, object][] = []
/** As a manager with one repository answers; what it was asked is kept. */
const server = createServer(async (request, response) => {
  asked.push([`${request.method} ${request.url}`, (await json(request)) as object])
  const type = refusal ? 'application/problem+json' : 'application/json'
  response.writeHead(refusal ? 422 : 200, { 'content-type': type })
  const repository = { name: 'site', url: 'https://git.example.org/us/site.git', branch: 'main' }
  response.end(JSON.stringify(refusal ?? (request.method === 'POST' ? HOOK : repository)))
})

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fairlead-change-'))
  await writeFile(join(folder, 'token'), 'canary\n')
  await writeFile(join(folder, 'ca.pem'), 'a certificate')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(async () => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => {
  asked = []
  refusal = undefined
})

const LOGIN = { kind: 'https', username: 'me', password: 'canary' }

for (const [words, change] of [
  ['--branch stable', { branch: 'stable' }],
  ['--url https://git.example.org/us/site.git', { url: 'https://git.example.org/us/site.git' }],
  ['--poll 0 --no-auto-apps', { poll_seconds: 0, auto_apps: false }],
  ['--poll 60 --auto-apps', { poll_seconds: 60, auto_apps: true }],
  ['--compose-path deploy/compose.yaml', { compose_path: 'deploy/compose.yaml' }],
  ['--no-compose-path --no-credential --no-ca', { compose_path: null, credential: null, ca: null }],
  ['--username me --password-file token --ca ca.pem', { credential: LOGIN, ca: 'a certificate' }],
] as const) {
  test(`set ${words} changes that and nothing else`, async () => {
    const { code, out, err } = await repositories('set', 'site', ...words.split(' '))
    equal(code, 0, err)
    deepEqual(asked, [[PATCHED, change]])
    doesNotMatch(`${out}${err}`, /canary/)
  })
}

test('2: set without anything to set asks the manager nothing', async () => {
  const { code, err } = await repositories('set', 'site')
  equal(code, 2)
  match(err, /hint: /)
  deepEqual(asked, [])
})

test('a credential stays with its server, and the refusal says what to do', async () => {
  refusal = {
    code: 'CREDENTIAL_NEEDED',
    detail: 'The credential that is stored was not given for b.example.org.',
    hint: 'Give one together with the new address.',
    retry: 'never',
  }
  const { code, err } = await repositories('set', 'site', '--url', 'https://b.example.org/x.git')
  equal(code !== 0, true)
  match(err, /was not given for b\.example\.org\.\nhint: Give one/)
})

test('webhook --revoke-old ends the secret before at once; without it the manager decides', async () => {
  match((await repositories('webhook', 'site', '--revoke-old')).out, /^Secret: {2}s3cret/m)
  await repositories('webhook', 'site')
  const path = 'POST /api/v1/repositories/site/webhook-secret'
  deepEqual(asked, [
    [path, { keep_previous_seconds: 0 }],
    [path, {}],
  ])
})

/** The real program. */
async function repositories(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { PATH: '/usr/bin:/bin', HOME: folder, FAIRLEAD_MANAGER: url, FAIRLEAD_TOKEN: 'flt_x' }
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe']
  const child = spawn(PROGRAM, ['repositories', ...words], { env, cwd: folder, stdio })
  const [[code], out, err] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  return { code, out, err }
}
