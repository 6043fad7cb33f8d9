import { deepEqual, doesNotMatch, equal, match } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'

const PROGRAM = join(import.meta.dirname, '../../bin/fairlead')
const ID = '0199b5a0-0000-7000-8000-000000000001'
const TIME = '2026-01-01T00:00:00.000Z'
const HOSTILE = [
  '::error::of the build',
  'x ##[add-path]/tmp/evil',
  '\x1b[0Ksection_end:1:fairlead_build\r\x1b[0K',
]

let folder = ''
let url = ''
const served = { state: 'succeeded', status: 200, held: false }
const server = createServer(answer)

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fairlead-ci-'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(async () => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true, force: true })
})

/** As a manager with one deployment answers. */
function answer({ method, url: path = '' }: IncomingMessage, response: ServerResponse): void {
  if (served.status !== 200) {
    response.writeHead(served.status, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify({ code: 'TOKEN_UNKNOWN', detail: 'no', hint: '', retry: 'never' }))
  } else if (path === `/api/v1/deployments/${ID}/log`) {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const [index, line] of ['first', ...HOSTILE].entries()) {
      const data = { seq: index + 1, at: TIME, step: 'build', stream: 'stdout', text: line }
      response.write(`id: ${index + 1}\ndata: ${JSON.stringify(data)}\n\n`)
    }
    response.end('event: end\ndata: {}\n\n')
  } else if (path === `/api/v1/deployments/${ID}/result.json`) {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ shop: [{ result: served.state }] }))
  } else if (path === '/api/v1/events') {
    response.writeHead(403).end('{}')
  } else {
    response.writeHead(method === 'POST' ? 202 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(deployment()))
  }
}

function deployment() {
  const { state } = served
  const ended = state !== 'running' && state !== 'queued'
  const isGood = state === 'succeeded'
  const error = {
    code: 'X',
    message: `it broke\n${HOSTILE[0]}`,
    hint: 'mend it',
    retry: 'never',
    status: 500,
  }
  const times = { started_at: TIME, deadline_at: TIME, finished_at: ended ? TIME : null }
  return {
    id: ID,
    app: 'shop',
    state,
    outcome: ended ? (isGood ? 'deployed' : state) : null,
    commit: '3f2a'.repeat(10),
    commit_subject: '[link](https://evil.example.org) ##[error]x',
    failed_step: state === 'failed' ? 'build' : null,
    error: state === 'failed' ? error : null,
    approved: null,
    held: served.held,
    steps: [{ name: 'build', state: isGood ? 'done' : 'failed', outcome: null, error: null, ...times }],
    evidence: { answers: [{ host: 'shop.example.org', scheme: 'https', status: 200 }] },
    ...times,
  }
}

async function deploy(words: readonly string[], environment: Readonly<Record<string, string>>) {
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: folder,
    FAIRLEAD_MANAGER: url,
    FAIRLEAD_TOKEN: 'flt_x',
    ...environment,
  }
  const child = spawn(PROGRAM, ['deploy', 'shop', ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [[code], out, err] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  return { code: code as number | null, out, err }
}

describe('the exit code of "deploy --wait"', () => {
  for (const [state, expected] of [
    ['succeeded', 0],
    ['failed', 1],
    ['waiting', 5],
    ['superseded', 8],
    ['cancelled', 8],
  ] as const) {
    test(`is ${expected} when the deployment is ${state}`, async () => {
      served.state = state
      equal((await deploy(['--wait'], {})).code, expected)
    })
  }

  test('is 5 when its app is paused, and says how to resume it', async () => {
    Object.assign(served, { state: 'queued', held: true })
    const { code, out } = await deploy(['--wait'], {})
    served.held = false
    equal(code, 5)
    match(out, /^shop is paused; .*"(?:bin\/)?fairlead apps resume shop"/m)
  })

  test('is 7 when it goes on after --timeout, and says how to follow it', async () => {
    served.state = 'running'
    const { code, err } = await deploy(['--wait', '--timeout', '200ms'], {})
    equal(code, 7)
    match(err, new RegExp(`had not ended within 200 ms\\.\nhint: .*fairlead logs -f ${ID}`))
    equal((await deploy(['--wait', '--timeout', 'soon'], {})).code, 2)
  })

  test('is 6 when the manager refuses the token', async () => {
    served.status = 401
    equal((await deploy(['--wait'], {})).code, 6)
    served.status = 200
  })
})

test('R58 --result leaves how it went in a file, also of a deployment that failed', async () => {
  const file = join(folder, 'result.json')
  for (const state of ['succeeded', 'failed']) {
    served.state = state
    equal((await deploy(['--wait', '--result', file], {})).code, state === 'failed' ? 1 : 0)
    deepEqual(JSON.parse(await readFile(file, 'utf8')), { shop: [{ result: state }] })
  }
  served.state = 'succeeded'
  const { code, err } = await deploy(['--wait', '--result', join(folder, 'no', 'folder')], {})
  equal(code, 0)
  match(err, /warning: .* was not written/)
})

describe('in a job of GitHub Actions', () => {
  const environment = () => ({
    GITHUB_ACTIONS: 'true',
    GITHUB_OUTPUT: join(folder, 'output'),
    GITHUB_STEP_SUMMARY: join(folder, 'summary'),
  })

  test('the log is in groups, and no line of the build is obeyed', async () => {
    served.state = 'failed'
    const { code, out, err } = await deploy(['--wait'], environment())
    equal(code, 1)
    const commands = `${out}\n${err}`.split('\n').filter(line => /^\s*::|##\[/.test(line))
    equal(
      commands.join('\n'),
      [
        '::group::build',
        '::endgroup::',
        '::error title=shop%3A failed in build::it broke ::error::of the build%0Amend it',
      ].join('\n'),
    )
    match(err, /::group::build\n {2}\| first\n {2}\| ::error::of the build\n {2}\| x # #\[add-path\]/)
  })

  test('later steps get what was deployed and where, the page of the run a summary', async () => {
    served.state = 'succeeded'
    await rm(join(folder, 'output'), { force: true })
    await rm(join(folder, 'summary'), { force: true })
    const { code, out } = await deploy(['--wait', '--json'], environment())
    equal(code, 0)
    equal(JSON.parse(out).id, ID)
    doesNotMatch(out, /##\[/)
    const outputs = await readFile(join(folder, 'output'), 'utf8')
    match(outputs, new RegExp(`^deployment<<(\\S+)\n${ID}\n\\1\napp<<`))
    match(outputs, /^url<<(\S+)\nhttps:\/\/shop\.example\.org\n\1\n$/m)
    const summary = await readFile(join(folder, 'summary'), 'utf8')
    match(summary, /^### Fairlead: shop deployed\n/)
    doesNotMatch(summary, /\[link\]\(/)
  })

  test('a summary that cannot be written does not make a good deployment bad', async () => {
    const { code, err } = await deploy(['--wait'], { ...environment(), GITHUB_OUTPUT: '/proc/nothing' })
    equal(code, 0)
    match(err, /warning: the summary for the CI job was not written/)
  })
})

test('in a job of GitLab the log is in sections, which no line of the build ends', async () => {
  served.state = 'succeeded'
  const { code, err } = await deploy(['--wait'], { GITLAB_CI: 'true' })
  equal(code, 0)
  const marks = err.match(/\x1b\[0Ksection_(?:start|end):\d+:\w+/g) ?? []
  equal(
    marks.map(mark => mark.replace(/^.*section_|\d+:/g, '')).join(' '),
    'start:fairlead_build end:fairlead_build',
  )
})

test('elsewhere a step is one line', async () => {
  served.state = 'succeeded'
  const { err } = await deploy(['--wait'], {})
  doesNotMatch(err, /::group|section_|first/)
  match(err, /^ {2}build +done/m)
})

test('every exit code is documented', async () => {
  const { EXIT_CODES_TEXT } = await import('./exit-codes.ts')
  const page = await readFile(join(import.meta.dirname, '../../docs/ci.md'), 'utf8')
  for (const [, code, means] of EXIT_CODES_TEXT.matchAll(/^ {2}(\d+) +(.*)$/gm)) {
    match(page, new RegExp(`^\\| \`${code}\` \\| ${means?.replace(/[()]/g, '\\$&')} \\|$`, 'm'))
  }
})
