import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { AppDocument } from '#contract/rest/apps.ts'
import { mustRun } from './world/command.ts'
import { engineFacts } from './world/engine-facts.ts'
import { type Remote, type System, startSystem } from './world/system.ts'

/** What a deployment says of what runs already, against what a visitor and the engine see. */
const stack = new AsyncDisposableStack()
const NEVER = new AbortController().signal
let system: System

before(async () => {
  system = await startSystem(stack)
})

after(() => stack.disposeAsync())

describe('a container app', () => {
  const app = `same-${process.pid}`
  let remote: Remote

  before(async () => {
    remote = await system.addRepository(app, {
      'site/Dockerfile': [
        `FROM ${system.baseImage}`,
        'COPY index.html up /www/',
        'EXPOSE 8080',
        // The engine would run it for the first time in half a minute.
        'HEALTHCHECK CMD ["true"]',
        'CMD ["httpd","-f","-p","8080","-h","/www"]',
      ].join('\n'),
      'site/index.html': 'hello\n',
      'site/up': 'yes\n',
      'fairlead.yaml': fileOf('/up'),
    })
    assert.equal((await system.deploy(app)).outcome, 'deployed')
  })

  test('P5 that the engine still calls "starting" is asked itself, and is not touched when it is ready', async () => {
    const before = await engineFacts(app)
    const health = await docker('inspect', '--format={{.State.Health.Status}}', ...(await ids(app)))
    assert.equal(health.trim(), 'starting')
    const again = await system.deploy(app)
    assert.deepEqual([again.state, again.outcome], ['succeeded', 'nothing-to-do'])
    assert.deepEqual(await engineFacts(app), before)
    assert.match(JSON.stringify(again.evidence), new RegExp(`"host":"${app}.localhost","scheme":"https"`))
  })

  test('shows the commit that runs, also when a commit changed nothing of it', async () => {
    const commit = await remote.push({ README: 'words\n' })
    const seen = await system.deploy(app)
    assert.equal(seen.outcome, 'nothing-to-do')
    const { release } = await system.together().client.get<AppDocument>(`/apps/${app}`)
    assert.deepEqual([release?.confirmed?.commit, release?.confirmed?.deployment], [commit, seen.id])
    assert.equal(release?.id, seen.release)
  })

  test('whose container runs but does not answer visitors as it should is made anew', async () => {
    await docker('exec', ...(await ids(app)), 'rm', '/www/up')
    assert.equal((await system.visit(`${app}.localhost`)).status, 200)
    const mended = await system.deploy(app)
    assert.deepEqual([mended.state, mended.outcome], ['succeeded', 'deployed'])
    assert.match(await system.logOf(mended.id), /plan: recreate .*\(its health is "starting"\)/)
    assert.equal((await system.deploy(app)).outcome, 'nothing-to-do')
  })

  test('is held to a new health path, whatever else stays the same', async () => {
    await remote.push({ 'fairlead.yaml': fileOf('/nowhere') })
    const refused = await system.deploy(app)
    assert.deepEqual([refused.state, refused.failed_step], ['failed', 'apply'])
    assert.equal((await system.visit(`${app}.localhost`)).status, 200)
  })

  function fileOf(path: string): string {
    return `version: 1\napps:\n  ${app}: { target: container, context: site, port: 8080, health: { http: ${path}, within: 3s } }\n`
  }
})

describe('a compose app', () => {
  const app = `same-compose-${process.pid}`

  test('is asked through the proxy before nothing is said to be to do', async () => {
    const command = '["httpd","-f","-p","8080","-h","/www"]'
    await system.addRepository(app, {
      'compose.yaml': `services: { web: { build: ., expose: [8080], command: ${command} } }\n`,
      Dockerfile: `FROM ${system.baseImage}\nCOPY up /www/up\n`,
      up: 'yes\n',
      'fairlead.yaml': `version: 1\napps:\n  ${app}: { target: compose, verify: { http: /up } }\n`,
    })
    assert.equal((await system.deploy(app)).outcome, 'deployed')
    const again = await system.deploy(app)
    assert.equal(again.outcome, 'nothing-to-do')
    assert.match(JSON.stringify(again.evidence), /"answers":\{"routes":\{"web\..*"status":200/)
    const { client } = system.together()
    const path = `/apps/${app}/logs?tail=10&follow=false`
    assert.deepEqual(await endOf(client.events(path, NEVER)), {})
    assert.deepEqual(await endOf(client.events(`${path}&service=web`, NEVER)), {})
    assert.match(
      JSON.stringify(await endOf(client.events(`${path}&service=none`, NEVER))),
      /CONTAINER_NOT_FOUND/,
    )
    await docker('exec', ...(await ids(app)), 'rm', '/www/up')
    const broken = await system.deploy(app)
    assert.deepEqual([broken.state, broken.error?.code], ['failed', 'ROUTE_NOT_ANSWERING'])
  })
})

async function ids(app: string): Promise<string[]> {
  const text = await docker('ps', '--quiet', '--filter', `label=io.fairlead.app=${app}`)
  return text.split('\n').filter(Boolean)
}

function docker(...args: string[]): Promise<string> {
  return mustRun('docker', args, { folder: system.folder })
}

/** What the last event of a stream says. */
async function endOf(events: AsyncIterable<{ readonly data: unknown }>): Promise<unknown> {
  let last: unknown
  for await (const { data } of events) {
    last = data
  }
  return last
}
